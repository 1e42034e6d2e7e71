// A frontend of somebody else: a form, and what the hook says. docs/page.md shows the same in short.

import { Activations, newIdempotencyKey } from "innerjourney-activations";
import { type Asked, useActivation } from "innerjourney-activations/react";
import { useEffect, useState } from "react";

const client = new Activations({ baseUrl: new URLSearchParams(location.search).get("api") ?? "" });

/** What a reload finds: the id in the address, or the wish that was sent. */
function remembered(): Asked | null {
  if (location.hash) return { id: location.hash.slice(1) };
  return JSON.parse(sessionStorage.getItem("asked") ?? "null");
}

export function App() {
  const [asked, setAsked] = useState(remembered);
  const [isOpen, setOpen] = useState(true);

  const send = (form: FormData) => {
    const wish = { mood: Number(form.get("mood")), goal: String(form.get("goal")) };
    const next = { wish, idempotencyKey: newIdempotencyKey() };
    sessionStorage.setItem("asked", JSON.stringify(next));
    setAsked(next);
  };

  return (
    <main>
      <form action={send}>
        <input name="mood" aria-label="Mood" />
        <input name="goal" aria-label="Goal" />
        <button>Send</button>
      </form>
      {isOpen && <Step asked={asked} />}
      <button onClick={() => setOpen(false)}>Close</button>
    </main>
  );
}

function Step({ asked }: { asked: Asked | null }) {
  const { activation, problem, isLost, retry, cancel } = useActivation(client, asked);
  useEffect(() => {
    // In StrictMode 2, where each effect runs twice.
    document.body.dataset.effects = String(Number(document.body.dataset.effects ?? 0) + 1);
  }, []);
  return (
    <section>
      <output>{isLost ? "lost" : (activation?.status ?? "nothing")}</output>
      {activation?.step && <h1>{activation.step.title}</h1>}
      {activation?.source === "fallback" && <p>From the library</p>}
      {problem && <p role="alert">{problem.detail}</p>}
      <button onClick={cancel}>Cancel</button>
      <button onClick={retry}>Retry</button>
    </section>
  );
}
