// @jitsu/js in Node as its documentation says, with nothing but the host and the write key set.
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const { listen } = require("./lines.js");
const { jitsuAnalytics } = createRequire(`${process.env.CLIENTS}/`)("@jitsu/js");

const MODES = { device: {}, server: { s2s: true } };
let jitsu;
let count;
let refused;

const SEND = {
  identify: (call) => jitsu.identify(call.userId, call.traits),
  track: (call) => jitsu.track(call.event, call.properties),
  page: (call) => jitsu.page(call.name, call.properties),
  group: (call) => jitsu.group(call.groupId, call.traits),
};

listen({
  open({ url, key, mode }) {
    count = { delivered: 0, dropped: [] };
    jitsu = jitsuAnalytics({
      host: url,
      writeKey: key,
      ...MODES[mode],
      errorPolicy: (message) => (refused = message),
    });
  },
  async send({ calls }) {
    for (const call of calls) {
      refused = undefined;
      jitsu.configure({ privacy: { consentCategories: call.consent } });
      jitsu.setAnonymousId(call.anonymousId);
      await SEND[call.type](call);
      if (refused === undefined) count.delivered += 1;
      else count.dropped.push(call.properties?.amount ?? null);
    }
  },
  settle: () => count,
});
