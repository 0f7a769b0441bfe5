// Talking to the server under /v1: models, answers as they are written, and its own words where it refuses.

const BASE = new URL(".", document.baseURI);
const KEY = "omma.key";

/** What the server refused or could not do. `status` is 0 where nobody answered. */
export class Refused extends Error {
  constructor(message, { status = 0, code = null, param = null, after = null } = {}) {
    super(message);
    Object.assign(this, { status, code, param, after });
  }
}

/** The key of this tab: kept until it is closed, and nowhere else. */
export const key = {
  get: () => sessionStorage.getItem(KEY) ?? "",
  set: (value) => (value ? sessionStorage.setItem(KEY, value) : sessionStorage.removeItem(KEY)),
};

export const address = (path) => new URL(path, BASE).href;

async function knock(path, options = {}) {
  const headers = { ...options.headers };
  if (key.get()) headers.Authorization = `Bearer ${key.get()}`;
  let reply;
  try {
    reply = await fetch(address(path), {
      ...options,
      headers,
      credentials: "same-origin",
      redirect: "error",
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused("The server does not answer.");
  }
  if (!reply.ok) throw await refusal(reply);
  return reply;
}

async function refusal(reply) {
  const after = Number(reply.headers.get("retry-after")) || null;
  const text = await reply.text();
  const error = told(text);
  const message = error?.message ?? `The server answered with status ${reply.status} and no reason.`;
  return new Refused(message, { status: reply.status, code: error?.code, param: error?.param, after });
}

function told(text) {
  try {
    return JSON.parse(text).error ?? null;
  } catch {
    return null;
  }
}

/** The models that are offered, the server's own first. */
export async function models() {
  const reply = await knock("v1/models");
  return (await reply.json()).data;
}

/** Keep a file on the server for a while: `{id, expires_at}`; it is shown as `media:ID`. */
export async function upload(file, type, signal) {
  const reply = await knock("v1/media", {
    method: "POST",
    headers: { "Content-Type": type },
    body: file,
    signal,
  });
  return reply.json();
}

/** Whether the server still keeps an upload: it may have been started anew, or made room for others. */
export async function keeps(id) {
  try {
    await knock(`v1/media/${id}`);
    return true;
  } catch (error) {
    if (error.status === 404) return false;
    throw error;
  }
}

/** Whether anybody is there at all. */
export async function alive() {
  try {
    return (await fetch(address("healthz"), { cache: "no-store" })).ok;
  } catch {
    return false;
  }
}

/** The pieces of an answer, as they come: objects in OpenAI's form. Aborting the signal ends it there. */
export async function* answer(body, signal) {
  const reply = await knock("v1/chat/completions", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    signal,
  });
  let whole = false;
  for await (const data of events(reply.body)) {
    if (data === "[DONE]") {
      whole = true;
      continue;
    }
    const piece = JSON.parse(data);
    if (piece.error) throw new Refused(piece.error.message, { status: 500, code: piece.error.code });
    yield piece;
  }
  if (!whole)
    throw new Refused("The answer broke off: the connection was closed before its end.", {
      code: "interrupted",
    });
}

async function* events(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const blocks = (rest + value).split(/\r?\n\r?\n/);
      rest = blocks.pop();
      for (const block of blocks) {
        const data = block
          .split(/\r?\n/)
          .filter((line) => line.startsWith("data:"))
          .map((line) => line.slice(5).trimStart());
        if (data.length) yield data.join("\n");
      }
    }
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused("The connection to the server was lost in the middle of the answer.", {
      code: "interrupted",
    });
  }
}
