/** A fixed line below a live part: what is on its way, and what went wrong. */

import type { NetworkFailure } from "../../network-queue";
import { sentences, words } from "../../text";
import { useChangesOf } from "../hooks";
import { type Asked, useLessonContext } from "../lessons/context";

export function Status({ asked }: { asked: Asked<unknown> }) {
  const { queue } = useLessonContext();
  useChangesOf(queue);
  const { loading } = queue;
  if (asked.failure) {
    return (
      <p class="warning" role="alert">
        {failureText(asked.failure)}
      </p>
    );
  }
  const isLoading = asked.isPending && loading !== null;
  const text = isLoading
    ? words.loading(loading.network.title)
    : asked.isPending
      ? sentences(words.lessons.asking, ...(asked.value ? [words.lessons.stillShown] : []))
      : "";
  return (
    <div class="progress" role="status">
      {isLoading && <progress max={1} value={loading.share} aria-label={text} />}
      <small>{text}</small>
    </div>
  );
}

function failureText({ kind, message }: NetworkFailure): string {
  if (kind === "simd") return words.noSimd;
  if (kind === "decompression") return words.noDecompression;
  return kind === "memory" ? words.outOfMemory : words[kind](message);
}

/** In place of a part whose network the page does not hold. */
export function MissingNetwork({ name }: { name: string }) {
  return (
    <p class="warning" role="alert">
      {words.lessons.missingNetworks([name])}
    </p>
  );
}
