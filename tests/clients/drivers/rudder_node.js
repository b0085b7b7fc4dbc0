// @rudderstack/rudder-sdk-node as its documentation says, with nothing but the data plane and the write key set.
"use strict";

const { listen, note } = require("./lines.js");
const Analytics = require("@rudderstack/rudder-sdk-node");

const MODES = { batch: {}, plain: { gzip: false }, single: { flushAt: 1 } };
let client;
let count;

// The client tells each attempt that failed on the console, and nowhere else.
console.error = (...words) => note(words.join(" "));

listen({
  open({ url, key, mode, retries }) {
    count = { delivered: 0, dropped: [] };
    const limits = retries === undefined ? {} : { retryCount: retries };
    // Without a handler of errors a batch that is given up ends the whole process.
    const options = { dataPlaneUrl: url, logLevel: "error", errorHandler: () => {} };
    client = new Analytics(key, { ...options, ...MODES[mode], ...limits });
  },
  send({ calls }) {
    for (const { type, consent, ago_ms, ...call } of calls) {
      const told = (fault) => (fault ? count.dropped.push(call.properties?.amount ?? null) : (count.delivered += 1));
      const when = ago_ms ? { timestamp: new Date(Date.now() - ago_ms) } : {};
      client[type]({ ...call, ...when, context: { consent: { categoryPreferences: consent } } }, told);
    }
  },
  async settle() {
    do await client.flush();
    while (client.queue.length);
    await new Promise((resolve) => setTimeout(resolve, 20)); // Its callbacks run in a later turn of the loop.
    return count;
  },
});
