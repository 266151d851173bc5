/** What every part of a lesson shares. */

import { createContext } from "preact";
import { useContext, useEffect, useRef, useState } from "preact/hooks";
import type { Progress } from "../../lessons/progress";
import type { LessonMaterial, Manifest, Network } from "../../manifest";
import { type NetworkFailure, type NetworkQueue, Unwanted } from "../../network-queue";
import { useChangesOf } from "../hooks";

interface LessonContextValue {
  manifest: Manifest;
  material: LessonMaterial;
  queue: NetworkQueue;
  progress: Progress;
}

export const LessonContext = createContext<LessonContextValue | null>(null);

export function useLessonContext(): LessonContextValue {
  const lessonContext = useContext(LessonContext);
  if (!lessonContext) throw new TypeError("a part of a lesson outside the lessons");
  return lessonContext;
}

/** The reader's answers; drawn anew when they change. */
export function useProgress(): Progress {
  const { progress } = useLessonContext();
  useChangesOf(progress);
  return progress;
}

/** The network of this name; null where the page does not hold it. */
export function useNetwork(name: string): Network | null {
  return useLessonContext().manifest.networks.find((network) => network.name === name) ?? null;
}

/** For what opens in answer to the reader: it takes the keyboard, whose button is gone. */
export function useFocusWhenOpened<T extends HTMLElement>(isOpen: boolean) {
  const element = useRef<T>(null);
  const wasOpen = useRef(isOpen);
  useEffect(() => {
    if (isOpen && !wasOpen.current) element.current?.focus({ preventScroll: true });
    wasOpen.current = isOpen;
  }, [isOpen]);
  return element;
}

export interface Asked<T> {
  /** The newest answer about the subject; it stays while the next one is on its way. */
  value: T | null;
  isPending: boolean;
  failure: NetworkFailure | null;
}

/**
 * Asks whenever the key changes; only the newest question counts.
 *
 * @param key Of the question; null asks nothing.
 * @param subject What it is asked of. An answer about another subject is no longer shown.
 * @param ask Takes whether its answer is still wanted.
 */
export function useAsked<T>(
  key: string | null,
  subject: string | null,
  ask: (isWanted: () => boolean) => Promise<T>,
): Asked<T> {
  const [settled, setSettled] = useState({
    ...{ key: null as string | null, subject: null as string | null },
    ...{ value: null as T | null, failure: null as NetworkFailure | null },
  });
  useEffect(() => {
    if (key === null) return;
    let isNewest = true;
    const settle = (value: T | null, failure: NetworkFailure | null) =>
      isNewest && setSettled({ key, subject, value, failure });
    ask(() => isNewest).then(
      (value) => settle(value, null),
      (failure: NetworkFailure | Unwanted) => failure instanceof Unwanted || settle(null, failure),
    );
    return () => {
      isNewest = false;
    };
  }, [key]);
  return {
    value: settled.subject === subject ? settled.value : null,
    isPending: settled.key !== key,
    failure: settled.key === key ? settled.failure : null,
  };
}
