// Puts a fresh <main> in place every few seconds. When the worker is away the last numbers stay, and
// the page says that they are old. A page that nobody looks at asks for nothing. It serves the board
// and the story of an activation that is not done.

const EVERY_MS = 5_000;
const PATIENCE_MS = 30_000;

// The page, or an error: a proxy in between may have answered with something else.
async function fetched() {
  const answer = await fetch(location.pathname, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const main = page.querySelector("main.board");
  if (main === null) throw new Error("not the board");
  return { main, title: page.title };
}

async function refresh() {
  try {
    const { main, title } = await fetched();
    document.querySelector("main.board").replaceWith(main);
    document.title = title;
    document.body.classList.remove("old");
  } catch {
    document.title = "(?) worker board";
    document.body.classList.add("old");
  }
}

async function goOn() {
  if (!document.hidden) await refresh();
  setTimeout(goOn, EVERY_MS);
}

setTimeout(goOn, EVERY_MS);
