// What went wrong, in the server's own sentence, and what can be done about it.

import { make } from "./dom.js";

/** The card of a failed turn. Nothing of the conversation is lost by it. */
export function failure(turn, acts) {
  const { status, message, after } = turn.error;
  const again = make("button.firm", { type: "button", onclick: () => acts.again(turn) }, "Ask again");
  const unlock =
    status === 401
      ? make("button.firm", { type: "button", onclick: () => acts.unlock() }, "Enter the key")
      : null;
  if (after) countDown(again, after);
  return make(
    "div.wrong",
    { role: "alert" },
    make("b", {}, title(turn.error)),
    make("p", {}, sentence(message)),
    make("p.todo", {}, todo(turn.error)),
    make("div.acts", {}, unlock ?? (worthwhile(turn.error) ? again : null)),
  );
}

function title({ status, code }) {
  if (status === 0) return "No answer";
  if (status === 401 || status === 403) return "A key is wanted";
  if (status === 413) return "Too large";
  if (status === 429) return "Busy";
  if (code === "interrupted" || status === 503) return "It broke off";
  return status >= 500 ? "The server failed" : "This cannot be answered";
}

function todo({ status, code }) {
  if (status === 0) return "Is the server still running? The page goes on as soon as it is back.";
  if (status === 401 || status === 403)
    return "The server was started with keys. Whoever started it has them.";
  if (status === 413) return "Show fewer or smaller pictures, or a shorter video.";
  if (status === 429) return "Others are being answered. It goes on in a moment.";
  if (code === "context_length_exceeded")
    return "Begin a new conversation, show fewer pictures, or choose low detail in the settings.";
  if (code === "interrupted" || status === 503) return "Nothing is wrong with your question: ask again.";
  return "Change the question or the picture and ask again; nothing else was lost.";
}

const worthwhile = ({ status, code }) =>
  status === 0 || status === 429 || status >= 500 || code === "interrupted";

/** The server's sentence with a capital and a stop, otherwise as it is. */
function sentence(text) {
  const whole = /[.!?…]$/.test(text) ? text : `${text}.`;
  return whole[0].toUpperCase() + whole.slice(1);
}

function countDown(button, seconds) {
  const words = button.textContent;
  button.disabled = true;
  const tick = (left) => {
    button.textContent = left > 0 ? `${words} in ${left} s` : words;
    button.disabled = left > 0;
    if (left > 0 && (button.isConnected || left === Math.ceil(seconds)))
      setTimeout(() => tick(left - 1), 1000);
  };
  tick(Math.ceil(seconds));
}
