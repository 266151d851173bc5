/** A sentence that must not be overlooked. */
export function Warning({ text }: { text: string }) {
  return (
    <p class="warning" role="alert">
      {text}
    </p>
  );
}
