// @jitsu/js in a page: another origin than the collector.
import { jitsuAnalytics } from "/jitsu/jitsu.es.js";

let jitsu;
let dropped;
let refused;

window.openClient = async ({ url, key }) => {
  dropped = [];
  jitsu = jitsuAnalytics({ host: url, writeKey: key, errorPolicy: (message) => (refused = message) });
};

const SEND = {
  identify: (call) => jitsu.identify(call.userId, call.traits),
  track: (call) => jitsu.track(call.event, call.properties),
  page: (call) => jitsu.page(call.name, call.properties),
  group: (call) => jitsu.group(call.groupId, call.traits),
};

window.sendCalls = async (calls) => {
  for (const call of calls) {
    refused = undefined;
    jitsu.configure({ privacy: { consentCategories: call.consent } });
    jitsu.setAnonymousId(call.anonymousId);
    await SEND[call.type](call);
    if (refused !== undefined) dropped.push(call.properties?.amount ?? null);
  }
};

window.tell = () => ({ dropped });
window.ready = true;
