import type { LessonWords } from "../shape";

export const maps = {
  title: "Where does it look? Maps and their limits",
  about: "Colours over a photo show what an answer came from. You learn how far to believe them.",
  inShort: [
    "A map says how much each place counts for one class, by one method.",
    "Grad-CAM is coarse: a few cells. Saliency is fine: each pixel's gradient.",
    "Compare two maps only with the same method, the same class and one colour scale.",
    "A map is a hint, not a proof. Different methods mark different places.",
  ],
  tasks: [
    "Choose a map that looks right to you. What else could have made it look so?",
    "Write one sentence about a map that says no more than the map does.",
  ],
  parts: {
    start: [
      "A network gives an answer and no reason. A **map** tries to give one: it colours the places that count for the answer. Where nothing counts, the photo stays grey. Yellow counts most.",
      "**Grad-CAM** asks one of the last layers of the network. There the photo has become a table of few cells: 8 × 8 of them here. So its map is coarse. **Saliency** asks the pixels: how fast does the score of the answer change when this pixel changes? That is the gradient of lesson 2.",
      "The network below has three branches, each with norm layers of its own, as in lesson 4. **main** is the one for clean photos.",
    ],
    where: {
      question: "The photo is the face of a cat. Where do you think **main** looks, by Grad-CAM?",
      choices: ["At the eyes", "At the tip of the nose", "At other places"],
      after: [
        "Little at the eyes, and nowhere near the tip of the nose. By this map, main's answer comes most from a spot between the eyes and from the lower corners of the photo.",
        "Compare the branches: **aux** is for attacked photos, **aux2** learned from stronger attacks. All three maps have one colour scale, so a pale map is a weak one. Change the method and the photo.",
      ],
    },
    read: [
      "Each map here explains the branch's own answer, which you see below it. If the answers differ, the maps explain different things. That is the first trap.",
      "The second trap is the scale. Drawn on its own scale, a weak map looks as strong as any other. On one scale, the saliency of aux and aux2 looks empty beside main's. It is not: one pixel hardly moves the score of a branch that learned from attacks.",
    ],
    methods: {
      question:
        "One branch, one photo, one answer, two methods. Do Grad-CAM and saliency mark the same places?",
      choices: [
        "Yes, nearly the same places",
        "Hardly: they agree little",
        "No, exactly the opposite places",
      ],
      after: [
        "The number below the maps says how far they agree, from −1 to 1. At 1 both put all places in the same order, at −1 in the opposite order. At 0 one map says nothing about the other. It is called **rank correlation**. On these photos it is nearer to 0 than to 1. Neither method is wrong: they ask different questions. They share no scale either, so each map here has its own.",
      ],
    },
    limits: [
      "What did this project find? On 100 drawn scenes it is known where the object is. Of the saliency of a plain network 36 % lies on it, of AdvProp's main 46 %. (Saliency was a mean over noisy copies of each scene.) By Grad-CAM it is 27 and 29 %. Did AdvProp look at the object more? By one map yes, by the other hardly. What a map says depends on the map.",
      "So compare maps only with the same method, the same class and one colour scale. And say no more than a map does: by this method, the score came most from this place.",
    ],
  },
  tests: {
    a: [
      {
        question: "A map is yellow on a cat's face. What do you know?",
        choices: [
          "The network knows what a face is",
          "The network used nothing but the face",
          "This method finds the face to count most",
        ],
        why: "A map is a measurement by one method. It says nothing about knowing.",
      },
      {
        question: "Grad-CAM and saliency of the same answer look different. Why?",
        choices: [
          "They ask different questions",
          "One of the two must be wrong",
          "The network changed its answer",
        ],
        why: "One asks the cells of a late layer, the other each pixel.",
      },
    ],
    b: [
      {
        question: "A map lies on the dog of a photo. Which sentence says no more than that?",
        choices: [
          "The network is right about other dogs too",
          "By this method the dog counts most",
          "Without the dog it would answer otherwise",
        ],
        why: "The others may be true, but no map shows them.",
      },
      {
        question:
          "The saliency of one branch lies on the dog, the Grad-CAM of another beside it. What follows?",
        choices: [
          "The first looks at the dog, the second does not",
          "The second is wrong about this photo",
          "Nothing yet: the methods differ",
        ],
        why: "Two methods ask different questions. So the maps may differ for reasons that are not the network's.",
      },
    ],
  },
} as const satisfies LessonWords;
