// Streamlit says that every page is English.
const TAGS = { zh: "zh-Hans" };

export default function ({ data, setTriggerValue }) {
  document.documentElement.lang = TAGS[data.language] ?? data.language;
  const app = document.querySelector(".stApp");
  const scheme = () => getComputedStyle(app).colorScheme;
  const before = scheme();
  const watch = new MutationObserver(() => {
    if (scheme() !== before) setTriggerValue("theme", scheme());
  });
  watch.observe(app, { attributeFilter: ["class"] });
  return () => watch.disconnect();
}
