// What this browser remembers, as JSON under names of ours. Where storage is forbidden (a private
// window, a policy) it is remembered until the page is closed.

const PREFIX = "innerjourney.";

function kept(area) {
  const memory = new Map();
  const storage = () => {
    try {
      return area();
    } catch {
      return null;
    }
  };
  return {
    get(name) {
      try {
        return JSON.parse(storage()?.getItem(PREFIX + name) ?? memory.get(name) ?? "null");
      } catch {
        return null; // written by something else
      }
    },
    set(name, value) {
      const text = JSON.stringify(value);
      memory.set(name, text);
      try {
        storage()?.setItem(PREFIX + name, text);
      } catch {
        storage()?.removeItem(PREFIX + name); // full: the copy in memory has to do, not an older one
      }
    },
    forget(name) {
      memory.delete(name);
      storage()?.removeItem(PREFIX + name);
    },
    /** All whose name begins like this. */
    forgetAll(beginning) {
      const names = Object.keys(storage() ?? {}).filter((name) => name.startsWith(PREFIX));
      for (const name of [...memory.keys(), ...names.map((name) => name.slice(PREFIX.length))]) {
        if (name.startsWith(beginning)) this.forget(name);
      }
    },
  };
}

/** Until the tab is closed. */
export const tab = kept(() => sessionStorage);
/** On this device, until it is erased. */
export const device = kept(() => localStorage);

const reflections = (id) => `reflections.${id}`;
const wish = (id) => `wish.${id}`;

/** The wish that an activation came of, which the server does not repeat; null elsewhere.
 *  @returns {{ mood: number, goal: string, startedAt: number } | null} */
export const wishOf = (id) => tab.get(wish(id));
export const keepWish = (id, value) => tab.set(wish(id), value);

/** By question, whether it is ticked and what was noted. They never leave this device. */
export const reflectionsOn = (id) => device.get(reflections(id)) ?? [];
export const keepReflections = (id, value) => device.set(reflections(id), value);

/** Whatever is remembered of an activation that has been erased. */
export function forgetActivation(id) {
  device.forget(reflections(id));
  tab.forget(wish(id));
}

export function forgetAllActivations() {
  device.forgetAll("reflections.");
  tab.forgetAll("wish.");
}
