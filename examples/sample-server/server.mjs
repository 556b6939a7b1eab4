#!/usr/bin/env node
// A small MCP server over standard input and output: one JSON-RPC message per line, no dependencies.
// It runs offline and changes nothing. `protocol.mjs` speaks MCP, `offers.mjs` is what this server can do.

import { createInterface } from "node:readline";

import { answer } from "./protocol.mjs";

const session = { version: undefined };
const lines = createInterface({ input: process.stdin, crlfDelay: Infinity });

lines.on("line", (line) => {
  for (const message of answer(session, line)) {
    process.stdout.write(`${JSON.stringify(message)}\n`);
  }
});

// The end of standard input is the order to go (spec: stdio, "Shutdown"); what is written is flushed first.
lines.on("close", () => {
  process.exitCode = 0;
});
