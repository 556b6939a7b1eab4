// MCP in both eras. Since 2026-07-28 every request says in `_meta` which revision it speaks and there is no handshake;
// before, `initialize` settles the revision for the life of the process. A server may speak both (spec: "Versioning and
// Compatibility"); which one is meant is seen from each message.

import { INSTRUCTIONS, prompts, resources, tools } from "./offers.mjs";

const MODERN = ["2026-07-28"];
const LEGACY = ["2025-11-25", "2025-06-18", "2025-03-26"];
const SUPPORTED = [...MODERN, ...LEGACY];

const META = "io.modelcontextprotocol/";
const SERVER_INFO = { name: "sample-server", title: "Sample server", version: "1.0.0" };
const CAPABILITIES = { tools: {}, prompts: {}, resources: {} };
const HOUR_MS = 3_600_000;

const PARSE_ERROR = -32700;
const INVALID_REQUEST = -32600;
const METHOD_NOT_FOUND = -32601;
const INVALID_PARAMS = -32602;
const INTERNAL_ERROR = -32603;
const UNSUPPORTED_VERSION = -32022;
const LEGACY_RESOURCE_NOT_FOUND = -32002;

/** A request that cannot be answered as asked. */
class RpcError extends Error {
  constructor(code, message, data) {
    super(message);
    this.code = code;
    this.data = data;
  }
}

/** The messages to write for one line that was read: none for a notification, else one. */
export function answer(session, line) {
  let message;
  try {
    message = JSON.parse(line);
  } catch {
    return [failure(null, new RpcError(PARSE_ERROR, "Parse error"))];
  }
  // Only 2025-03-26 had batches.
  if (Array.isArray(message) && message.length > 0 && session.version === "2025-03-26") {
    const answers = message.flatMap((one) => respond(session, one));
    return answers.length > 0 ? [answers] : [];
  }
  return respond(session, message);
}

function respond(session, message) {
  if (message === null || typeof message !== "object" || message.jsonrpc !== "2.0" || typeof message.method !== "string") {
    // An answer to us would be a surprise: this server never asks.
    const isAnswer = message?.result !== undefined || message?.error !== undefined;
    return isAnswer ? [] : [failure(idOf(message), new RpcError(INVALID_REQUEST, "Invalid Request"))];
  }
  // Notifications (initialized, cancelled) need no action: every request here is answered at once.
  if (message.id === undefined) return [];
  if (idOf(message) === null) {
    return [failure(null, new RpcError(INVALID_REQUEST, "An id is a string or an integer"))];
  }
  try {
    return [{ jsonrpc: "2.0", id: message.id, result: handle(session, message) }];
  } catch (error) {
    if (error instanceof RpcError) return [failure(message.id, error)];
    console.error(error);
    return [failure(message.id, new RpcError(INTERNAL_ERROR, "Internal error"))];
  }
}

function idOf(message) {
  const id = message?.id;
  return typeof id === "string" || Number.isInteger(id) ? id : null;
}

function failure(id, { code, message, data }) {
  return { jsonrpc: "2.0", id, error: { code, message, ...(data && { data }) } };
}

function handle(session, { method, params = {} }) {
  if (params === null || typeof params !== "object" || Array.isArray(params)) {
    throw new RpcError(INVALID_PARAMS, "params must be an object");
  }
  const version = params._meta?.[`${META}protocolVersion`];
  if (version !== undefined) return modern(method, params, version);
  if (method === "initialize") return initialize(session, params);
  if (session.version === undefined) {
    const missing = `Missing _meta["${META}protocolVersion"]; supported: ${SUPPORTED.join(", ")}`;
    throw new RpcError(INVALID_PARAMS, missing);
  }
  return legacy(method, params);
}

/** 2026-07-28: without state, and with what may be cached for how long said in the result. */
function modern(method, params, version) {
  if (!MODERN.includes(version)) {
    const data = { supported: SUPPORTED, requested: version };
    throw new RpcError(UNSUPPORTED_VERSION, "Unsupported protocol version", data);
  }
  const client = params._meta[`${META}clientCapabilities`];
  if (client === null || typeof client !== "object") {
    throw new RpcError(INVALID_PARAMS, `Missing _meta["${META}clientCapabilities"]`);
  }
  const discovered = () => ({ supportedVersions: SUPPORTED, capabilities: CAPABILITIES, instructions: INSTRUCTIONS });
  const perform = method === "server/discover" ? discovered : methods[method];
  if (!perform) throw new RpcError(METHOD_NOT_FOUND, `Method not found: ${method}`);
  return {
    ...perform(params, INVALID_PARAMS),
    resultType: "complete",
    ...(!UNCACHED.includes(method) && { ttlMs: HOUR_MS, cacheScope: "public" }),
    _meta: { [`${META}serverInfo`]: SERVER_INFO },
  };
}

/** 2025-11-25 and before: a version that is not known is answered with one that is. */
function initialize(session, params) {
  if (typeof params.protocolVersion !== "string") throw new RpcError(INVALID_PARAMS, "protocolVersion is required");
  session.version = LEGACY.includes(params.protocolVersion) ? params.protocolVersion : LEGACY[0];
  return {
    protocolVersion: session.version,
    capabilities: CAPABILITIES,
    serverInfo: SERVER_INFO,
    instructions: INSTRUCTIONS,
  };
}

function legacy(method, params) {
  if (method === "ping") return {};
  const perform = methods[method];
  if (!perform) throw new RpcError(METHOD_NOT_FOUND, `Method not found: ${method}`);
  return perform(params, LEGACY_RESOURCE_NOT_FOUND);
}

const UNCACHED = ["tools/call", "prompts/get"];

// What both eras have.
const methods = {
  "tools/list": () => ({ tools: tools.map(({ run, ...definition }) => definition) }),
  "tools/call": callTool,
  "prompts/list": () => ({ prompts: prompts.map(({ render, ...definition }) => definition) }),
  "prompts/get": getPrompt,
  "resources/list": () => ({ resources: resources.map(({ read, ...definition }) => definition) }),
  "resources/templates/list": () => ({ resourceTemplates: [] }),
  "resources/read": readResource,
};

function callTool({ name, arguments: given = {} }) {
  const tool = tools.find((tool) => tool.name === name);
  if (!tool) throw new RpcError(INVALID_PARAMS, `Unknown tool: ${name}`);
  try {
    const result = tool.run(checked(tool.inputSchema, given));
    return { content: [{ type: "text", text: JSON.stringify(result) }], structuredContent: result };
  } catch (error) {
    // What the caller can mend is told in the result, where the model reads it (spec: tools, "Error Handling").
    if (error instanceof RangeError) return { content: [{ type: "text", text: error.message }], isError: true };
    throw error;
  }
}

function getPrompt({ name, arguments: given = {} }) {
  const prompt = prompts.find((prompt) => prompt.name === name);
  if (!prompt) throw new RpcError(INVALID_PARAMS, `Unknown prompt: ${name}`);
  for (const argument of prompt.arguments) {
    const value = given[argument.name];
    if (value === undefined ? argument.required : typeof value !== "string") {
      throw new RpcError(INVALID_PARAMS, `Argument ${argument.name} must be a string`);
    }
  }
  const content = { type: "text", text: prompt.render(given) };
  return { description: prompt.description, messages: [{ role: "user", content }] };
}

function readResource({ uri }, notFound) {
  const resource = resources.find((resource) => resource.uri === uri);
  if (!resource) throw new RpcError(notFound, "Resource not found", { uri });
  return { contents: [{ uri, mimeType: resource.mimeType, text: resource.read() }] };
}

/** The arguments, if they are of the kinds that a flat schema of required members asks for. */
function checked(schema, given) {
  if (given === null || typeof given !== "object" || Array.isArray(given)) {
    throw new RangeError("The arguments must be an object.");
  }
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(schema.properties, name)) throw new RangeError(`There is no argument "${name}".`);
  }
  for (const [name, { type, enum: choices }] of Object.entries(schema.properties)) {
    const value = given[name];
    if (typeof value !== type) throw new RangeError(`The argument "${name}" must be a ${type}.`);
    if (choices && !choices.includes(value)) {
      throw new RangeError(`The argument "${name}" must be one of: ${choices.join(", ")}.`);
    }
  }
  return given;
}
