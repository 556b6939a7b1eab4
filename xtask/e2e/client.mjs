// The official TypeScript SDK as a client of the gateway, in front of server-everything and server-filesystem.
// Run by `cargo xtask e2e` in the folder where npm has installed the SDK; GATEWAY and KEY come from the environment,
// FOLDER is the folder that server-filesystem may show.

import assert from "node:assert/strict";
import { createRequire } from "node:module";

const require = createRequire(`${process.cwd()}/`);
const { Client } = require("@modelcontextprotocol/sdk/client/index.js");
const { StreamableHTTPClientTransport } = require("@modelcontextprotocol/sdk/client/streamableHttp.js");

const { GATEWAY, KEY, FOLDER } = process.env;
const UNKNOWN = { code: -32602 };

async function connected(path, work) {
  const client = new Client({ name: "e2e-typescript", version: "1.0.0" });
  const headers = { Authorization: `Bearer ${KEY}` };
  await client.connect(new StreamableHTTPClientTransport(new URL(path, GATEWAY), { requestInit: { headers } }));
  try {
    await work(client);
  } finally {
    await client.close();
  }
  console.log(`TypeScript ${path}: as expected`);
}

const namesOf = (things) => things.map(({ name }) => name);
const textOf = (result) => result.content.map(({ text }) => text).join("\n");

await connected("/servers/everything/mcp", async (client) => {
  assert.equal(client.getServerVersion().name, "mcp-servers/everything");
  const tools = namesOf((await client.listTools()).tools);
  assert.ok(tools.includes("echo") && tools.includes("get-sum"), `tools are ${tools}`);

  const call = (name, given = {}, options) => client.callTool({ name, arguments: given }, undefined, options);
  assert.equal(textOf(await call("echo", { message: 'Grüße, "世界"' })), 'Echo: Grüße, "世界"');
  assert.match(textOf(await call("get-sum", { a: 2, b: 40 })), /42/);
  assert.ok((await call("get-tiny-image")).content.some(({ type }) => type === "image"));
  const weather = await call("get-structured-content", { location: "Chicago" });
  assert.deepEqual(weather.structuredContent, { temperature: 36, conditions: "Light rain / drizzle", humidity: 82 });
  assert.equal((await call("get-sum", { a: "two" })).isError, true);

  const progress = [];
  const onprogress = ({ progress: done, total }) => progress.push(`${done}/${total}`);
  await call("trigger-long-running-operation", { duration: 0.3, steps: 3 }, { onprogress });
  assert.deepEqual(progress, ["1/3", "2/3", "3/3"]);

  const { resourceTemplates } = await client.listResourceTemplates();
  assert.ok(resourceTemplates.some(({ uriTemplate }) => uriTemplate === "demo://resource/dynamic/text/{resourceId}"));
  const { contents } = await client.readResource({ uri: "demo://resource/dynamic/text/7" });
  assert.match(contents[0].text, /^Resource 7:/);

  assert.ok(namesOf((await client.listPrompts()).prompts).includes("args-prompt"));
  const prompt = await client.getPrompt({ name: "args-prompt", arguments: { city: "Lyon" } });
  assert.equal(prompt.messages[0].content.text, "What's weather in Lyon?");
  const ref = { type: "ref/resource", uri: "demo://resource/dynamic/text/{resourceId}" };
  const { completion } = await client.complete({ ref, argument: { name: "resourceId", value: "12" } });
  assert.deepEqual(completion.values, ["12"]);
  await client.ping();
});

await connected("/servers/files/mcp", async (client) => {
  const tools = namesOf((await client.listTools()).tools);
  assert.deepEqual(tools.sort(), ["list_directory", "read_text_file"]);
  const read = (path) => client.callTool({ name: "read_text_file", arguments: { path } });
  assert.match(textOf(await read(`${FOLDER}/notes.txt`)), /billing service/);
  assert.equal((await read("/etc/hostname")).isError, true);
  const write = { name: "write_file", arguments: { path: `${FOLDER}/new.txt`, content: "no" } };
  await assert.rejects(client.callTool(write), UNKNOWN);
  await assert.rejects(client.callTool({ name: "no_such_tool", arguments: {} }), UNKNOWN);
});

await connected("/mcp", async (client) => {
  const tools = namesOf((await client.listTools()).tools);
  assert.ok(tools.includes("everything__echo") && tools.includes("files__read_text_file"), `tools are ${tools}`);
  assert.ok(!tools.includes("files__write_file"));
  assert.ok(tools.every((name) => /^[A-Za-z0-9_-]{1,64}$/.test(name)), `tools are ${tools}`);
  const echoed = await client.callTool({ name: "everything__echo", arguments: { message: "through both" } });
  assert.equal(textOf(echoed), "Echo: through both");
  const listed = await client.callTool({ name: "files__list_directory", arguments: { path: FOLDER } });
  assert.match(textOf(listed), /\[FILE\] contacts\.csv/);
  await assert.rejects(client.callTool({ name: "files__write_file", arguments: {} }), UNKNOWN);

  const prompt = await client.getPrompt({ name: "everything__args-prompt", arguments: { city: "Lyon" } });
  assert.equal(prompt.messages[0].content.text, "What's weather in Lyon?");
  const { resources } = await client.listResources();
  const { contents } = await client.readResource({ uri: resources[0].uri });
  assert.equal(contents[0].uri, resources[0].uri);
});

const stranger = new Client({ name: "e2e-typescript", version: "1.0.0" });
await assert.rejects(stranger.connect(new StreamableHTTPClientTransport(new URL("/mcp", GATEWAY))));
console.log("TypeScript without a key: refused");
