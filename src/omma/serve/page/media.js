// Pictures and videos that a person brings: by drop, paste or choice. Their bytes stay here until one asks.

import { keeps, upload } from "./wire.js";

const LARGE = 4 << 20; // bytes from which on a file is uploaded once instead of being told in every request
const MARGIN = 60_000; // milliseconds before its end from which on an upload is made anew
const ENDINGS = {
  mkv: "video/x-matroska",
  avi: "video/x-msvideo",
  mov: "video/quicktime",
  tif: "image/tiff",
  tiff: "image/tiff",
  heic: "image/heic",
  avif: "image/avif",
};
let born = 0;

/** "image", "video", or null for what is neither. */
function kindOf(type) {
  const [kind] = type.split("/");
  return kind === "image" || kind === "video" ? kind : null;
}

function typeOf(file) {
  return file.type || ENDINGS[file.name.split(".").pop().toLowerCase()] || "";
}

/**
 * A file as something to show: `{id, name, kind, url, width, height, seconds, address()}`, sizes in pixels as
 * the browser sees it upright; where it cannot (a rare format) they are null; the server may still read it.
 * Null for a file that is neither picture nor video.
 */
export async function bring(file) {
  const type = typeOf(file);
  const kind = kindOf(type);
  if (!kind) return null;
  const item = {
    id: ++born,
    name: file.name || `pasted ${kind}`,
    kind,
    type,
    bytes: file.size,
    url: URL.createObjectURL(file),
  };
  item.address = file.size > LARGE ? kept(file, type) : once(() => dataAddress(file, type));
  Object.assign(item, await (kind === "image" ? measurePicture(item.url) : measureVideo(item.url)));
  return item;
}

function once(make) {
  let made = null;
  return () => (made ??= make());
}

/** A large file is sent once and then named, as long as the server keeps it. */
function kept(file, type) {
  let last = null;
  return async () => {
    if (!last || last.expires_at * 1000 < Date.now() + MARGIN || !(await keeps(last.id)))
      last = await upload(file, type);
    return `media:${last.id}`;
  };
}

function dataAddress(file, type) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () =>
      resolve(`data:${type};base64,${reader.result.slice(reader.result.indexOf(",") + 1)}`);
    reader.onerror = () => reject(new Error(`${file.name} cannot be read any more; add it again.`));
    reader.readAsDataURL(file);
  });
}

function measurePicture(url) {
  return new Promise((resolve) => {
    const picture = new Image();
    picture.onload = () =>
      resolve({ width: picture.naturalWidth || null, height: picture.naturalHeight || null, seconds: null });
    picture.onerror = () => resolve({ width: null, height: null, seconds: null });
    picture.src = url;
  });
}

function measureVideo(url) {
  return new Promise((resolve) => {
    const video = document.createElement("video");
    video.preload = "metadata";
    video.muted = true;
    const nothing = { width: null, height: null, seconds: null };
    video.onloadedmetadata = () => {
      const known = video.videoWidth > 0;
      resolve(
        known
          ? {
              width: video.videoWidth,
              height: video.videoHeight,
              seconds: Number.isFinite(video.duration) ? video.duration : null,
            }
          : nothing,
      );
    };
    video.onerror = () => resolve(nothing);
    video.src = url;
  });
}

/** Files that were dropped or pasted. */
export const filesOf = (transfer) => [...(transfer?.files ?? [])];

/** Let files fall anywhere on the page; `onfiles` gets them, `veil` is shown while they hang in the air. */
export function catchDrops(veil, onfiles) {
  let depth = 0;
  const holds = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  const show = (on) => (veil.hidden = !on);
  addEventListener("dragenter", (event) => holds(event) && (event.preventDefault(), depth++, show(true)));
  addEventListener("dragover", (event) => holds(event) && event.preventDefault());
  addEventListener(
    "dragleave",
    (event) => holds(event) && (depth = Math.max(0, depth - 1)) === 0 && show(false),
  );
  addEventListener("drop", (event) => {
    if (!holds(event)) return;
    event.preventDefault();
    depth = 0;
    show(false);
    onfiles(filesOf(event.dataTransfer));
  });
  addEventListener("paste", (event) => {
    const files = filesOf(event.clipboardData);
    if (files.length) {
      event.preventDefault();
      onfiles(files);
    }
  });
}

/** "640 × 480", with seconds where it is a video. */
export function shapeOf(item) {
  if (!item.width) return "your browser cannot show it; the server may still read it";
  const size = `${item.width} × ${item.height}`;
  return item.seconds ? `${size}, ${item.seconds.toFixed(1)} s` : size;
}
