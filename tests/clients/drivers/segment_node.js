// @segment/analytics-node as its documentation says, with nothing but the host and the write key set.
"use strict";

const { listen, note } = require("./lines.js");
const { Analytics } = require("@segment/analytics-node");

const MODES = { batch: {}, single: { flushAt: 1 } };
let analytics;
let count;

const contextOf = (call) => ({ consent: { categoryPreferences: call.consent } });

const SEND = {
  identify: (call, more) => analytics.identify({ ...more, traits: call.traits }),
  track: (call, more) => analytics.track({ ...more, event: call.event, properties: call.properties }),
  page: (call, more) => analytics.page({ ...more, name: call.name, properties: call.properties }),
  screen: (call, more) => analytics.screen({ ...more, name: call.name, properties: call.properties }),
  group: (call, more) => analytics.group({ ...more, groupId: call.groupId, traits: call.traits }),
  alias: (call, more) => analytics.alias({ ...more, previousId: call.previousId }),
};

listen({
  open({ url, key, mode, retries }) {
    count = { attempts: 0, dropped: [] };
    const limits = retries === undefined ? {} : { maxRetries: retries };
    analytics = new Analytics({ host: url, writeKey: key, ...MODES[mode], ...limits });
    analytics.on("http_request", () => {
      count.attempts += 1;
      note(`attempt ${count.attempts}`);
    });
    analytics.on("error", ({ ctx }) => count.dropped.push(ctx.event.properties?.amount ?? null));
  },
  send({ calls }) {
    for (const call of calls) {
      const ids = { userId: call.userId, anonymousId: call.anonymousId, context: contextOf(call) };
      SEND[call.type](call, call.ago_ms ? { ...ids, timestamp: new Date(Date.now() - call.ago_ms) } : ids);
    }
  },
  async settle() {
    await analytics.flush({ timeout: 50_000 });
    return count;
  },
});
