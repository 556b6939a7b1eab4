// What the sample server can do: four tools that only compute, one prompt, one resource.
// A tool's `run` throws a RangeError for what its caller can mend.

export const INSTRUCTIONS = "Dates, text statistics, units and JSON. Every tool computes from its arguments alone.";

const READ_ONLY = { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false };

function object(properties, optional = []) {
  const required = Object.keys(properties).filter((name) => !optional.includes(name));
  return { type: "object", properties, required, additionalProperties: false };
}

const text = (description) => ({ type: "string", description });
const number = (description) => ({ type: "number", description });
const integer = (description) => ({ type: "integer", description });

// Each kind's factors to its base unit; temperatures have an offset too.
const UNITS = {
  length: { mm: 0.001, cm: 0.01, m: 1, km: 1000, in: 0.0254, ft: 0.3048, yd: 0.9144, mi: 1609.344 },
  mass: { mg: 0.000001, g: 0.001, kg: 1, t: 1000, oz: 0.028349523125, lb: 0.45359237 },
  time: { ms: 0.001, s: 1, min: 60, h: 3600, d: 86400 },
  data: { B: 1, kB: 1000, MB: 1e6, GB: 1e9, KiB: 1024, MiB: 1048576, GiB: 1073741824 },
  temperature: { C: [1, 273.15], K: [1, 0], F: [5 / 9, 459.67 * (5 / 9)] },
};
const UNIT_NAMES = Object.values(UNITS).flatMap((units) => Object.keys(units));

export const tools = [
  {
    name: "calendar_days_between",
    title: "Days between two dates",
    description: "Counts the days, and the working days (Monday to Friday), from one date to another.",
    inputSchema: object({ from: text("First date, YYYY-MM-DD."), to: text("Second date, YYYY-MM-DD.") }),
    outputSchema: object({
      days: integer("Days from the first date to the second; negative if it is earlier."),
      workingDays: integer("Those of them, the later date not counted, that are Monday to Friday."),
    }),
    annotations: READ_ONLY,
    run({ from, to }) {
      const [first, last] = [dayNumber(from), dayNumber(to)];
      const [early, late] = first <= last ? [first, last] : [last, first];
      const sign = first <= last ? 1 : -1;
      // `|| 0` because -1 * 0 is -0.
      return { days: last - first, workingDays: sign * (workingDaysBefore(late) - workingDaysBefore(early)) || 0 };
    },
  },
  {
    name: "text_statistics",
    title: "Text statistics",
    description: "Counts characters, words, lines and sentences of a text and names its most frequent words.",
    inputSchema: object({ text: text("The text.") }),
    outputSchema: object({
      characters: integer("Unicode characters."),
      words: integer("Words."),
      lines: integer("Lines."),
      sentences: integer("Sentences."),
      frequent: {
        type: "array",
        description: "At most five words that occur more than once, the most frequent first.",
        items: object({ word: text("The word, in lower case."), count: integer("How often it occurs.") }),
      },
    }),
    annotations: READ_ONLY,
    run({ text }) {
      const words = text.toLowerCase().match(/[\p{L}\p{N}]+(?:['’-][\p{L}\p{N}]+)*/gu) ?? [];
      const counts = new Map();
      for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
      const repeated = [...counts].filter(([, count]) => count > 1);
      repeated.sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
      return {
        characters: [...text].length,
        words: words.length,
        lines: text === "" ? 0 : text.split(/\r\n|\r|\n/).length,
        sentences: (text.match(/[^.!?\s][^.!?]*(?:[.!?]+|$)/g) ?? []).length,
        frequent: repeated.slice(0, 5).map(([word, count]) => ({ word, count })),
      };
    },
  },
  {
    name: "unit_convert",
    title: "Convert units",
    description: "Converts a value between units of length, mass, time, data or temperature.",
    inputSchema: object({
      value: number("The value."),
      from: { ...text("Its unit."), enum: UNIT_NAMES },
      to: { ...text("The wanted unit."), enum: UNIT_NAMES },
    }),
    outputSchema: object({ value: number("The value in the wanted unit."), unit: text("The wanted unit.") }),
    annotations: READ_ONLY,
    run({ value, from, to }) {
      const units = Object.values(UNITS).find((units) => Object.hasOwn(units, from));
      if (!Object.hasOwn(units, to)) throw new RangeError(`"${from}" and "${to}" measure different things.`);
      const [fromFactor, fromOffset] = [units[from], 0].flat();
      const [toFactor, toOffset] = [units[to], 0].flat();
      const converted = (value * fromFactor + fromOffset - toOffset) / toFactor;
      return { value: Number(converted.toPrecision(12)), unit: to };
    },
  },
  {
    name: "json_query",
    title: "Query JSON",
    description: "Finds the value in a JSON text to which a JSON Pointer (RFC 6901) points, such as /items/0/name.",
    inputSchema: object({ json: text("A JSON text."), pointer: text("A JSON Pointer; empty for the whole.") }),
    outputSchema: object(
      {
        found: { type: "boolean", description: "Whether the pointer points to something." },
        value: { description: "What it points to; any JSON value." },
      },
      ["value"],
    ),
    annotations: READ_ONLY,
    run({ json, pointer }) {
      let value;
      try {
        value = JSON.parse(json);
      } catch (error) {
        throw new RangeError(`The argument "json" is no JSON: ${error.message}`);
      }
      if (pointer !== "" && !pointer.startsWith("/")) throw new RangeError('A JSON Pointer is empty or begins with "/".');
      for (const token of pointer.split("/").slice(1)) {
        const name = token.replaceAll("~1", "/").replaceAll("~0", "~");
        const isIndex = /^(0|[1-9][0-9]*)$/.test(name);
        const has = Array.isArray(value) ? isIndex && Number(name) < value.length : isObjectWith(value, name);
        if (!has) return { found: false };
        value = value[name];
      }
      return { found: true, value };
    },
  },
];

export const prompts = [
  {
    name: "plan_to_deadline",
    title: "Plan towards a deadline",
    description: "Asks for a plan that spreads a piece of work over the working days that are left.",
    arguments: [
      { name: "work", description: "What is to be done.", required: true },
      { name: "from", description: "First day, YYYY-MM-DD.", required: true },
      { name: "deadline", description: "Last day, YYYY-MM-DD.", required: true },
    ],
    render: ({ work, from, deadline }) =>
      `Use calendar_days_between to count the working days from ${from} to ${deadline}. ` +
      `Then plan this work over them, leaving a fifth of the time for surprises: ${work}`,
  },
];

export const resources = [
  {
    uri: "sample://units",
    name: "units",
    title: "Known units",
    description: "The units that unit_convert knows, by kind.",
    mimeType: "application/json",
    read() {
      const kinds = Object.entries(UNITS).map(([kind, units]) => [kind, Object.keys(units)]);
      return JSON.stringify(Object.fromEntries(kinds), null, 2);
    },
  },
];

function isObjectWith(value, name) {
  return value !== null && typeof value === "object" && Object.hasOwn(value, name);
}

/** Days since 1970-01-01, a Thursday. */
function dayNumber(date) {
  const parsed = /^\d{4}-\d{2}-\d{2}$/.test(date) ? new Date(`${date}T00:00:00Z`) : new Date(Number.NaN);
  // Date rolls 2026-02-30 over into March; such a date is no date.
  if (Number.isNaN(parsed.getTime()) || parsed.toISOString().slice(0, 10) !== date) {
    throw new RangeError(`"${date}" is no date of the form YYYY-MM-DD.`);
  }
  return parsed.getTime() / 86_400_000;
}

/** Working days between an arbitrary fixed Monday and this day, which is not counted. */
function workingDaysBefore(day) {
  const sinceMonday = day + 3;
  const weeks = Math.floor(sinceMonday / 7);
  return weeks * 5 + Math.min(sinceMonday - weeks * 7, 5);
}
