/** Hooks that several parts of the page use. */

import { useEffect, useState } from "preact/hooks";
import type { Observable } from "../observable";

/** Draws the component anew when the subject has changed. */
export function useChangesOf(subject: Observable): void {
  const [, draw] = useState(0);
  useEffect(() => subject.subscribe(() => draw((count) => count + 1)), [subject]);
}

type Listeners = { [Name in keyof WindowEventMap]?: (event: WindowEventMap[Name]) => void };

/** Listens to events anywhere on the page; the listeners are those of the first drawing. */
export function useWindowEvents(listeners: Listeners): void {
  useEffect(() => {
    const entries = Object.entries(listeners) as [string, EventListener][];
    for (const [name, listener] of entries) window.addEventListener(name, listener);
    return () => {
      for (const [name, listener] of entries) window.removeEventListener(name, listener);
    };
  }, []);
}
