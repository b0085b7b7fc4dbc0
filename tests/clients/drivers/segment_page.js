// @segment/analytics-next in a page: the settings come from the collector, which is another origin than the page.
"use strict";

const MODES = {
  single: {},
  inline: {},
  batch: { integrations: { "Segment.io": { deliveryStrategy: { strategy: "batching", config: { size: 10, timeout: 300 } } } } },
};

let analytics;
let dropped;

window.openClient = async ({ url, key, mode, retries }) => {
  dropped = [];
  const options = structuredClone(MODES[mode]);
  if (retries !== undefined) {
    options.integrations ??= {};
    options.integrations["Segment.io"] ??= {};
    options.integrations["Segment.io"].httpConfig = { backoffConfig: { maxRetryCount: retries } };
  }
  // Settings that stand in the page itself need no request before the first event.
  const destination = { apiKey: key, apiHost: `${new URL(url).host}/v1`, protocol: "http" };
  const settings = { integrations: { "Segment.io": destination } };
  const place = mode === "inline" ? { cdnSettings: settings } : { cdnURL: url };
  analytics = window.AnalyticsNext.AnalyticsBrowser.load({ writeKey: key, ...place }, options);
  analytics.on("error", ({ ctx }) => dropped.push(ctx.event.properties?.amount ?? null));
  await analytics;
};

const SEND = {
  identify: (call, more) => analytics.identify(call.userId, call.traits, more),
  track: (call, more) => analytics.track(call.event, call.properties, more),
  page: (call, more) => analytics.page(undefined, call.name, call.properties, more),
  screen: (call, more) => analytics.screen(undefined, call.name, call.properties, more),
  group: (call, more) => analytics.group(call.groupId, call.traits, more),
  alias: (call, more) => analytics.alias(call.userId, call.previousId, more),
};

window.sendCalls = async (calls) => {
  for (const call of calls) {
    await analytics.setAnonymousId(call.anonymousId);
    const more = { context: { consent: { categoryPreferences: call.consent } } };
    if (call.ago_ms) more.timestamp = new Date(Date.now() - call.ago_ms);
    // A call is over when it was tried once: what is tried again later shows where it arrives.
    SEND[call.type](call, more);
  }
};

window.tell = () => ({ dropped });
