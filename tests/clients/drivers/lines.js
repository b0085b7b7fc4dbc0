// One order a line comes in as JSON, one answer a line goes out: how a test drives a client in a process of its own.
"use strict";

const readline = require("node:readline");

const say = (message) => process.stdout.write(JSON.stringify(message) + "\n");

/** Tell the test something that it did not ask for, such as a line of the client's own log. */
exports.note = (text) => say({ noted: String(text) });

/** Take orders until the input ends: `{"do": NAME, ...}` calls `handlers[NAME]`, whose result is the answer. */
exports.listen = async (handlers) => {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const order = JSON.parse(line);
    try {
      say({ done: (await handlers[order.do](order)) ?? {} });
    } catch (fault) {
      say({ failed: fault.stack ?? String(fault) });
    }
  }
  process.exit(0);
};
