// Puts a fresh <main> in place every few seconds. When the worker is away the last numbers stay, and
// the page says that they are old. A page that nobody looks at asks for nothing.

const EVERY_MS = 5_000;
const PATIENCE_MS = 30_000;

async function fetched() {
  const answer = await fetch("/board", { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

async function refresh() {
  try {
    const fresh = await fetched();
    document.querySelector("main.board").replaceWith(fresh.querySelector("main.board"));
    document.title = fresh.title;
    document.body.classList.remove("old");
  } catch {
    document.body.classList.add("old");
  }
}

async function goOn() {
  if (!document.hidden) await refresh();
  setTimeout(goOn, EVERY_MS);
}

setTimeout(goOn, EVERY_MS);
