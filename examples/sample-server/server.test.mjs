// Run by `node --test`; the test command of the repository does.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { answer } from "./protocol.mjs";

const META = "io.modelcontextprotocol/";
const modernMeta = { [`${META}protocolVersion`]: "2026-07-28", [`${META}clientCapabilities`]: {} };

function ask(message, session = {}) {
  const [only, ...more] = answer(session, JSON.stringify({ jsonrpc: "2.0", id: 1, ...message }));
  assert.deepEqual(more, []);
  return only;
}

const modern = (method, params = {}) => ask({ method, params: { ...params, _meta: modernMeta } });
const call = (name, given) => modern("tools/call", { name, arguments: given }).result;
const initialize = (session, protocolVersion) => ask({ method: "initialize", params: { protocolVersion } }, session).result;

test("a modern client needs no handshake", () => {
  const { result } = modern("server/discover");
  assert.equal(result.supportedVersions[0], "2026-07-28");
  assert.equal(result.resultType, "complete");
  assert.equal(result.cacheScope, "public");
  assert.equal(modern("tools/list").result.tools.length, 4);
});

test("an unknown modern version is refused with those that are known", () => {
  const params = { _meta: { ...modernMeta, [`${META}protocolVersion`]: "2199-01-01" } };
  const { error } = ask({ method: "tools/list", params });
  assert.equal(error.code, -32022);
  assert.deepEqual(error.data.supported, ["2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26"]);
});

test("a legacy client gets its version, or the latest legacy one", () => {
  for (const version of ["2025-11-25", "2025-06-18", "2025-03-26"]) {
    assert.equal(initialize({}, version).protocolVersion, version);
  }
  assert.equal(initialize({}, "1999-01-01").protocolVersion, "2025-11-25");
});

test("legacy results have nothing of the later revision", () => {
  const session = {};
  initialize(session, "2025-11-25");
  const { result } = ask({ method: "tools/list" }, session);
  assert.deepEqual(Object.keys(result), ["tools"]);
  assert.deepEqual(ask({ method: "ping" }, session).result, {});
});

test("without handshake and _meta nothing is answered", () => {
  assert.equal(ask({ method: "tools/list" }).error.code, -32602);
});

test("bad messages have the errors of JSON-RPC", () => {
  assert.equal(answer({}, "{")[0].error.code, -32700);
  assert.equal(answer({}, "{}")[0].error.code, -32600);
  assert.equal(answer({}, "[]")[0].error.code, -32600);
  assert.equal(modern("no/such").error.code, -32601);
  assert.equal(modern("tools/call", { name: "no_such" }).error.code, -32602);
  assert.equal(modern("resources/read", { uri: "sample://no" }).error.code, -32602);
  assert.deepEqual(answer({}, '{"jsonrpc":"2.0","method":"notifications/cancelled"}'), []);
});

test("batches are for 2025-03-26 only", () => {
  const session = {};
  initialize(session, "2025-03-26");
  const pings = JSON.stringify([1, 2].map((id) => ({ jsonrpc: "2.0", id, method: "ping" })));
  assert.equal(answer(session, pings)[0].length, 2);
  assert.equal(answer({ version: "2025-11-25" }, pings)[0].error.code, -32600);
});

test("tools compute", () => {
  const cases = [
    ["calendar_days_between", { from: "2026-11-20", to: "2026-11-23" }, { days: 3, workingDays: 1 }],
    ["calendar_days_between", { from: "2026-11-23", to: "2026-11-20" }, { days: -3, workingDays: -1 }],
    ["calendar_days_between", { from: "2024-02-28", to: "2024-03-01" }, { days: 2, workingDays: 2 }],
    ["unit_convert", { value: 26.2, from: "mi", to: "km" }, { value: 42.1648128, unit: "km" }],
    ["unit_convert", { value: 100, from: "C", to: "F" }, { value: 212, unit: "F" }],
    ["json_query", { json: '{"a/b":[1,{"c":null}]}', pointer: "/a~1b/1/c" }, { found: true, value: null }],
    ["json_query", { json: "[1]", pointer: "/length" }, { found: false }],
    [
      "text_statistics",
      { text: "To be, or not to be.\nThat is it!" },
      { characters: 32, words: 9, lines: 2, sentences: 2, frequent: [{ word: "be", count: 2 }, { word: "to", count: 2 }] },
    ],
  ];
  for (const [name, given, expected] of cases) assert.deepEqual(call(name, given).structuredContent, expected);
});

test("what a caller can mend is a result that says so", () => {
  const cases = [
    ["calendar_days_between", { from: "2026-02-30", to: "2026-03-01" }, /no date/],
    ["unit_convert", { value: 1, from: "kg", to: "m" }, /different things/],
    ["unit_convert", { value: "1", from: "kg", to: "g" }, /must be a number/],
    ["json_query", { json: "{", pointer: "" }, /no JSON/],
    ["text_statistics", { text: "a", more: 1 }, /no argument "more"/],
  ];
  for (const [name, given, message] of cases) {
    const result = call(name, given);
    assert.equal(result.isError, true);
    assert.match(result.content[0].text, message);
  }
});

test("prompts and resources are served", () => {
  const given = { work: "taxes", from: "2026-11-23", deadline: "2026-11-30" };
  const prompt = modern("prompts/get", { name: "plan_to_deadline", arguments: given }).result;
  assert.match(prompt.messages[0].content.text, /taxes/);
  assert.equal(modern("prompts/get", { name: "plan_to_deadline", arguments: {} }).error.code, -32602);
  const { contents } = modern("resources/read", { uri: "sample://units" }).result;
  assert.ok(JSON.parse(contents[0].text).temperature.includes("C"));
});

test("the process answers line by line and ends with its input", () => {
  const server = fileURLToPath(new URL("server.mjs", import.meta.url));
  const lines = [1, 2].map((id) => JSON.stringify({ jsonrpc: "2.0", id, method: "tools/list", params: { _meta: modernMeta } }));
  const { status, stdout } = spawnSync(process.execPath, [server], { input: `${lines.join("\n")}\n`, timeout: 10_000 });
  assert.equal(status, 0);
  assert.deepEqual(String(stdout).trim().split("\n").map((line) => JSON.parse(line).id), [1, 2]);
});
