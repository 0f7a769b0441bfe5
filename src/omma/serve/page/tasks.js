// What one may ask for, and the request that says it. Each task's words come from the server, by dialect.

/**
 * `needs` is what must be shown, `wish` what the field is called, null where nothing is to be written;
 * `one` says that the task looks at the one picture on the stage and not at all that is shown.
 */
export const TASKS = [
  {
    name: "ask",
    title: "Ask",
    needs: null,
    wish: "Question",
    hint: "Ask anything",
    told: "a question about pictures, a video, or nothing",
  },
  {
    name: "find",
    title: "Find",
    needs: "any",
    one: true,
    wish: "What to find",
    hint: "What to find, for example: star",
    told: "every such thing, in boxes",
  },
  {
    name: "read",
    title: "Read",
    needs: "image",
    one: true,
    wish: null,
    hint: "Reads all the text, line by line.",
    told: "all the text, line by line, in its place",
  },
  {
    name: "point",
    title: "Point",
    needs: "image",
    one: true,
    wish: "What to point at",
    hint: "Where is… for example: the Save button",
    told: "one place: where one would click",
  },
  {
    name: "describe",
    title: "Describe",
    needs: "any",
    one: true,
    wish: null,
    hint: "Says in words what is shown.",
    told: "what is shown, in words",
  },
  {
    name: "locate",
    title: "Locate",
    needs: "video",
    one: true,
    wish: "What happens",
    hint: "What happens, for example: the ball rolls in",
    told: "when something happens in a video",
  },
  {
    name: "extract",
    title: "Extract",
    needs: "any",
    wish: null,
    hint: "Fills in the fields above from what is shown.",
    told: "fields of your choice, as JSON",
  },
];

export const taskOf = (name) => TASKS.find((task) => task.name === name);

/** The tasks that a model has words for. Asking needs none. */
export const offered = (card) => TASKS.filter((task) => task.name === "ask" || wordsFor(card, task.name));

const wordsFor = (card, name) => card?.omma?.prompts?.[name];

/** Why a task cannot be done now, as a sentence, or null. */
export function missing(task, words, items, media, shape) {
  if (task.needs === "video" && media?.kind !== "video")
    return `${task.title} needs a video: drop one here, or add it with +.`;
  if (task.needs === "image" && media?.kind !== "image")
    return `${task.title} needs a picture: drop one here, paste it, or add it with +.`;
  if (task.needs === "any" && !items.length)
    return `${task.title} needs something to look at: drop a picture here, paste it, or add it with +.`;
  if (task.wish && !words.trim())
    return `Write ${task.name === "ask" ? "a question" : task.wish.toLowerCase()} first.`;
  return task.name === "extract" ? shape.wrong : null;
}

/** The words that are sent for a wish. */
function promptFor(card, task, words, shape) {
  if (task.name === "ask") return words;
  if (task.name !== "extract") return wordsFor(card, task.name).replace("{what}", () => words);
  return shape.places
    ? wordsFor(card, "evidence").replace("{what}", () => listed(shape.names))
    : wordsFor(card, "extract").replace("{what}", () => JSON.stringify(shape.schema));
}

function listed(names) {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

/**
 * A request in OpenAI's form, and what it shows: `{body, prompt, media, shown}`. `before` are the earlier
 * turns that a question follows; their pictures are shown once, where they first came. `shown` has every
 * picture and video of the whole conversation in its order, which is how the answer numbers them.
 */
export async function request({ card, task, words, items, media, before, settings, shape }) {
  const prompt = promptFor(card, task, words.trim(), shape);
  const own = task.one ? [media] : items;
  const shown = [];
  const messages = [];
  const earlier = task.name === "ask" && settings.remember ? before : [];
  for (const turn of earlier) {
    messages.push(await said(turn.prompt, turn.media, shown, settings));
    messages.push({ role: "assistant", content: turn.text });
  }
  messages.push(await said(prompt, own, shown, settings));
  const body = { model: card.id, messages, stream: true, stream_options: { include_usage: true } };
  for (const [name, value] of Object.entries(settings.sampling)) if (value !== null) body[name] = value;
  if (task.name === "extract") {
    body.response_format = { type: "json_schema", json_schema: { name: "fields", schema: shape.schema } };
  }
  return { body, prompt, media: own, shown };
}

async function said(prompt, media, shown, settings) {
  const parts = [];
  for (const item of media.filter((one) => !shown.includes(one))) {
    shown.push(item);
    const url = await item.address();
    const detail = settings.detail === "auto" ? {} : { detail: settings.detail };
    parts.push(
      item.kind === "image"
        ? { type: "image_url", image_url: { url, ...detail } }
        : { type: "video_url", video_url: { url } },
    );
  }
  return { role: "user", content: parts.length ? [...parts, { type: "text", text: prompt }] : prompt };
}
