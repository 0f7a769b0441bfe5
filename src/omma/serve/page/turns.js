// The conversation: each question with its answer, shown in the way that its task wants.

import { at, copy, count, duration, make } from "./dom.js";
import { failure } from "./failure.js";
import { found, lines, record, spans } from "./findings.js";
import { prose } from "./prose.js";
import { saw } from "./saw.js";
import { stillOf } from "./stage.js";
import { taskOf } from "./tasks.js";
import { mainMedia, marksOn } from "./places.js";

const SHORT = 48; // letters of an answer that is set large

/**
 * The log. `acts` are what buttons in it do: `show(media, turn)`, `seek(span)`, `again(turn)`, `code(turn)`,
 * `unlock()`.
 */
export function makeLog(root, acts) {
  const pages = new Map();
  let drawn = 0;
  let low = true; // whether the end of the log is in sight, and is to stay there
  root.addEventListener("scroll", () => (low = root.scrollHeight - root.scrollTop - root.clientHeight < 90));
  new ResizeObserver(() => low && pages.size && (root.scrollTop = root.scrollHeight)).observe(root);

  function add(turn) {
    at("hush").hidden = true;
    const answer = make("div.answer");
    const foot = make("div");
    const page = make(
      "article.turn",
      { "aria-label": `${taskOf(turn.task).title}: ${turn.words}`.trim(), data: { turn: turn.id } },
      asked(turn, [...pages.keys()].at(-1)),
      answer,
      foot,
    );
    pages.set(turn, { page, answer, foot });
    root.append(page);
    draw(turn);
    low = true;
    root.scrollTop = root.scrollHeight;
  }

  function asked(turn, before) {
    const same =
      turn.media.every((media) => before?.media.includes(media)) &&
      before?.media.length === turn.media.length;
    const stills = (same ? [] : turn.media).map((media) =>
      make(
        "button.thumb",
        {
          type: "button",
          "aria-label": `Show ${media.name} with this answer`,
          title: media.name,
          onclick: () => acts.show(media, turn),
        },
        stillOf(media),
      ),
    );
    const task = taskOf(turn.task);
    const words =
      turn.task === "ask"
        ? [turn.words]
        : [make("span.task", {}, task.title), turn.words ? ` ${turn.words}` : ""];
    return make(
      "div.asked",
      {},
      make("h3.said", {}, words),
      stills.length ? make("div.stills", {}, stills) : null,
    );
  }

  /** Draw what is new of a turn, at most once a frame while it is being written. */
  function update(turn) {
    if (turn.state !== "coming") {
      draw(turn);
      return;
    }
    if (!drawn) {
      drawn = requestAnimationFrame(() => {
        drawn = 0;
        if (turn.state === "coming") draw(turn);
      });
    }
  }

  function draw(turn) {
    const { page, answer, foot } = pages.get(turn);
    page.setAttribute("aria-busy", String(turn.state === "coming"));
    answer.replaceChildren(...answered(turn, acts));
    if (turn.state !== "coming") foot.replaceChildren(...footOf(turn, acts));
    if (low) follow(turn, page);
  }

  /** Stay at the end of what is written; a list that is longer than the log is read from its beginning. */
  function follow(turn, page) {
    const listed = turn.state !== "coming" && turn.task !== "ask" && turn.task !== "describe";
    if (listed && page.offsetHeight > root.clientHeight) page.scrollIntoView({ block: "start" });
    else root.scrollTop = root.scrollHeight;
  }

  function fresh() {
    root.append(make("p.fresh", {}, "What is above is no longer told to the model."));
  }

  function clear() {
    for (const { page } of pages.values()) page.remove();
    root.querySelectorAll(".fresh").forEach((line) => line.remove());
    pages.clear();
    at("hush").hidden = false;
  }

  return { add, update, fresh, clear, element: (turn) => pages.get(turn).page };
}

function answered(turn, acts) {
  const parts = [];
  if (turn.thoughts)
    parts.push(
      make(
        "details",
        { open: !turn.text },
        make("summary", {}, "Thoughts"),
        make("div.prose.summary", {}, prose(turn.thoughts)),
      ),
    );
  if (turn.state === "coming") return [...parts, coming(turn)];
  if (turn.text) parts.push(...shownAs(turn, acts));
  if (turn.state === "wrong") parts.push(failure(turn, acts));
  if (turn.state === "stopped")
    parts.push(
      make("p.note", {}, turn.text ? "You stopped it here." : "You stopped it before the first word."),
    );
  if (turn.finish === "length")
    parts.push(
      make(
        "p.note",
        {},
        "The answer was cut at the largest number of tokens. Settings has it; raise it and ask again.",
      ),
    );
  if (turn.finish === "loop")
    parts.push(make("p.note", {}, "The model began to repeat itself, and was stopped there."));
  if (turn.state === "done" && !turn.text) parts.push(make("p.summary", {}, "The model said nothing."));
  return parts;
}

function coming(turn) {
  if (!turn.text) return make("p.waiting.coming", {}, turn.media.length ? "Looking" : "Thinking");
  if (turn.task === "ask" || turn.task === "describe") {
    const blocks = prose(turn.text);
    blocks.at(-1)?.classList.add("coming");
    return make("div.prose", {}, blocks);
  }
  return make("div.raw.coming", {}, turn.text);
}

/** A finished answer: places, lines, fields or spans where the server found them, words in any case. */
function shownAs(turn, acts) {
  const media = mainMedia(turn);
  const marks = media ? marksOn(turn, media) : [];
  const timed = marks.filter((mark) => mark.kind === "span");
  if (turn.task === "extract") return record(turn, marks, acts, media) ?? [said(turn)];
  if (timed.length) return [spans(timed, turn, acts, media)];
  if (turn.task === "read") return lines(turn, marks, acts, media);
  if (turn.task === "ask" || turn.task === "describe") {
    const bare = marks.length && /^\s*[[{`]/.test(turn.text);
    return [bare ? null : said(turn), marks.length ? found(marks, turn, acts, media) : null].filter(Boolean);
  }
  if (!marks.length) return [nothing(turn)];
  const timeless =
    turn.task === "locate" ? make("p.note", {}, "The answer names no time. What it says has places:") : null;
  return [timeless, found(marks, turn, acts, media)].filter(Boolean);
}

const said = (turn) => make(turn.text.length < SHORT ? "div.prose.short" : "div.prose", {}, prose(turn.text));

function nothing(turn) {
  const empty = /^\s*(\[\s*\]|\{\s*\})\s*$/.test(turn.text);
  const what = turn.words ? ` for “${turn.words}”` : "";
  return empty
    ? make("p.summary", {}, `Nothing was found${what}.`)
    : make(
        "div",
        {},
        make("p.summary", {}, `The answer${what} names no place. It says:`),
        make("div.raw", {}, turn.text),
      );
}

function footOf(turn, acts) {
  const panel = make("div", { hidden: true });
  const open = make("button", { type: "button", "aria-expanded": "false" }, "What the model saw");
  open.addEventListener("click", () => {
    panel.hidden = !panel.hidden;
    open.setAttribute("aria-expanded", String(!panel.hidden));
    panel.replaceChildren(panel.hidden ? "" : saw(turn));
    if (!panel.hidden) panel.scrollIntoView({ block: "nearest" });
  });
  const buttons = [
    turn.text
      ? make("button", { type: "button", onclick: (event) => copy(turn.text, event.currentTarget) }, "Copy")
      : null,
    make("button", { type: "button", onclick: () => acts.code(turn) }, "As code"),
    turn.state === "wrong"
      ? null
      : make("button", { type: "button", onclick: () => acts.again(turn) }, "Again"),
    turn.text ? open : null,
  ];
  const sum = turn.usage ? `${duration(turn.took)} · ${count(turn.usage.completion_tokens, "token")}` : "";
  return [make("div.foot", {}, buttons, make("span.sum", {}, sum)), panel];
}
