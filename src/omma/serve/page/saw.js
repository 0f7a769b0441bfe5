// What the model saw: sizes after resizing, frames, tokens by kind, time by stage, and the exact words.

import { count, duration, make } from "./dom.js";
import { seenOf } from "./places.js";

const STAGES = [
  ["fetch", "Fetching", "#8b8f92"],
  ["media", "Opening media", "#c9a227"],
  ["resize", "Resizing", "#cc79a7"],
  ["encode", "Seeing", "#0072b2"],
  ["prefill", "Reading the prompt", "#56b4e9"],
  ["decode", "Writing", "#009e73"],
];

/** The panel of one answer. What the server did not tell is left out, never guessed. */
export function saw(turn) {
  return make(
    "div.saw",
    {},
    media(turn),
    tokens(turn),
    times(turn),
    make("h4", {}, "What was said to it"),
    make("p.exact", {}, turn.prompt),
  );
}

function media(turn) {
  const rows = turn.shown.map((item) => [item, seenOf(turn, item)]).filter(([, seen]) => seen);
  if (!rows.length) return [];
  const told = rows.map(([item, seen]) =>
    make("tr", {}, make("th", { scope: "row" }, item.name), make("td", {}, sizes(item, seen))),
  );
  return [make("h4", {}, "Pictures as they were seen"), make("table", {}, make("tbody", {}, told))];
}

function sizes(item, seen) {
  const [from, to] = [seen.original, seen.resized].map(({ width, height }) => `${width} × ${height}`);
  const size = from === to ? `${to}, as it is` : `${from} → ${to}`;
  const frames = seen.times?.length ? `, ${count(seen.times.length, "frame")}` : "";
  const each = seen.tokens ? `, ${count(seen.tokens, "token")}` : "";
  return `${size}${frames}${each}`;
}

function tokens({ usage }) {
  if (!usage) return [];
  const {
    text_tokens: words,
    image_tokens: pictures,
    video_tokens: videos,
    cached_tokens: cached,
  } = usage.prompt_tokens_details ?? {};
  const rows = [
    ["Words of the prompt", words ?? usage.prompt_tokens],
    ["Pictures", pictures],
    ["Videos", videos],
    ["Of these still remembered", cached],
    ["Written", usage.completion_tokens],
  ].filter(([, number]) => number);
  const told = rows.map(([name, number]) =>
    make("tr", {}, make("th", { scope: "row" }, name), make("td", {}, number.toLocaleString("en"))),
  );
  return [make("h4", {}, "Tokens"), make("table", {}, make("tbody", {}, told))];
}

function times({ omma, usage, took }) {
  const known = STAGES.map(([name, title, hue]) => [title, hue, omma?.seconds?.[name]]).filter(
    ([, , seconds]) => seconds > 0,
  );
  if (!known.length)
    return [make("h4", {}, "Time"), make("p", {}, `${duration(took)} in all, as this page saw it.`)];
  const bar = known.map(([, hue, seconds]) => {
    const piece = make("span", { vars: { "--hue": hue } });
    piece.style.flexGrow = String(1000 * seconds);
    return piece;
  });
  const told = known.map(([title, hue, seconds]) =>
    make(
      "tr",
      {},
      make("th", { scope: "row" }, make("span.key", { vars: { "--hue": hue } }), title),
      make("td", {}, duration(seconds)),
    ),
  );
  const writing = omma.seconds.decode;
  const pace =
    writing && usage ? ` ${Math.round(usage.completion_tokens / writing)} tokens a second were written.` : "";
  return [
    make("h4", {}, "Time"),
    make("div.stages", { "aria-hidden": "true" }, bar),
    make("table", {}, make("tbody", {}, told)),
    make("p", {}, `${duration(took)} in all, as this page saw it.${pace}`),
  ];
}
