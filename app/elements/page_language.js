// Streamlit says that every page is English.
const TAGS = { zh: "zh-Hans" };

export default function ({ data }) {
  document.documentElement.lang = TAGS[data.language] ?? data.language;
}
