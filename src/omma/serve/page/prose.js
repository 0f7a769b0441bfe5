// An answer's words as paragraphs, lists, tables and code: a part of Markdown, built from elements only.

import { make } from "./dom.js";

const FENCE = /^\s*(```|~~~)\s*([\w+-]*)/;
const HEAD = /^(#{1,6})\s+(.*?)\s*#*$/;
const BULLET = /^\s*[-*•]\s+(.*)$/;
const NUMBER = /^\s*(\d{1,9})[.)]\s+(.*)$/;
const QUOTE = /^\s*>\s?(.*)$/;
const ROW = /^\s*\|(.*)\|\s*$/;
const RULE = /^\s*\|?[\s:|-]*-[\s:|-]*\|?\s*$/;

/** Elements for a text in Markdown, or in nothing at all. Addresses stay words: nothing is followed. */
export function prose(text) {
  const lines = text.replace(/\r\n?/g, "\n").split("\n");
  const blocks = [];
  for (let at = 0; at < lines.length;) {
    const [block, next] = lines[at].trim() ? take(lines, at) : [null, at + 1];
    if (block) blocks.push(block);
    at = next;
  }
  return blocks;
}

function take(lines, at) {
  const line = lines[at];
  if (FENCE.test(line)) return fenced(lines, at);
  const head = line.match(HEAD);
  if (head) return [make("h4", {}, inline(head[2])), at + 1];
  if (BULLET.test(line)) return listed(lines, at, BULLET, "ul", 1);
  if (NUMBER.test(line)) return listed(lines, at, NUMBER, "ol", 2);
  if (QUOTE.test(line)) return quoted(lines, at);
  if (ROW.test(line) && RULE.test(lines[at + 1] ?? "")) return table(lines, at);
  let end = at + 1;
  while (end < lines.length && lines[end].trim() && !begins(lines[end])) end++;
  return [make("p", {}, broken(lines.slice(at, end))), end];
}

const begins = (line) => [FENCE, HEAD, BULLET, NUMBER, QUOTE, ROW].some((form) => form.test(line));

const broken = (lines) =>
  lines.flatMap((line, index) => (index ? [make("br"), ...inline(line)] : inline(line)));

function fenced(lines, at) {
  const mark = lines[at].match(FENCE)[1];
  let end = at + 1;
  while (end < lines.length && !lines[end].trim().startsWith(mark)) end++;
  return [make("pre", { tabindex: 0 }, make("code", {}, lines.slice(at + 1, end).join("\n"))), end + 1];
}

function listed(lines, at, form, tag, group) {
  const items = [];
  const first = tag === "ol" ? Number(lines[at].match(NUMBER)[1]) : null;
  let end = at;
  for (; end < lines.length && form.test(lines[end]); end++)
    items.push(make("li", {}, inline(lines[end].match(form)[group])));
  return [make(tag, first !== null && first !== 1 ? { start: first } : {}, items), end];
}

function quoted(lines, at) {
  let end = at;
  while (end < lines.length && QUOTE.test(lines[end])) end++;
  return [make("blockquote", {}, broken(lines.slice(at, end).map((line) => line.match(QUOTE)[1]))), end];
}

function table(lines, at) {
  const cells = (line) =>
    line
      .match(ROW)[1]
      .split("|")
      .map((cell) => cell.trim());
  let end = at + 2;
  while (end < lines.length && ROW.test(lines[end])) end++;
  const row = (tag) => (line) =>
    make(
      "tr",
      {},
      cells(line).map((cell) => make(tag, {}, inline(cell))),
    );
  return [
    make(
      "table",
      {},
      make("thead", {}, row("th")(lines[at])),
      make("tbody", {}, lines.slice(at + 2, end).map(row("td"))),
    ),
    end,
  ];
}

const SPANS = /(`+)([^`]+?)\1|\*\*(\S(?:[^*]*?\S)?)\*\*|(?<![\w*])\*(\S(?:[^*]*?\S)?)\*(?![\w*])/g;

/** Words of one line: code, strong and stressed ones as elements, all else as it stands. */
function inline(text) {
  const parts = [];
  let from = 0;
  for (const match of text.matchAll(SPANS)) {
    parts.push(text.slice(from, match.index));
    if (match[2] !== undefined) parts.push(make("code", {}, match[2]));
    else if (match[3] !== undefined) parts.push(make("strong", {}, match[3]));
    else parts.push(make("em", {}, match[4]));
    from = match.index + match[0].length;
  }
  return [...parts, text.slice(from)].filter((part) => part !== "");
}
