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
      "A network gives an answer and no reason. A **map** tries to give one: it colours the places that count for the answer. Yellow counts most.",
      "**Grad-CAM** asks a late layer, whose cells are large: in this network, at this size, 8 × 8 of them cover the photo. **Saliency** asks the pixels: how fast does the score change when this one changes? That is the gradient of lesson 2.",
    ],
    where: {
      question: "The photo is the face of a cat. Where do you think **main** looks, by Grad-CAM?",
      choices: ["At the eyes", "At the nose", "Somewhere else"],
      after: [
        "Compare the branches: **main** for clean photos, **aux** for attacked ones, and **aux2**, a second auxiliary branch that learned from stronger attacks. They have the same weights but for their norm layers. All three maps have one colour scale, so a pale map is a weak one. Change the method and the photo.",
      ],
    },
    read: [
      "Each map here explains the branch's own answer, which stands below it. If the answers differ, the maps explain different things. That is the first trap.",
      "The second trap is the scale. Drawn on its own scale, a weak map looks as strong as any other.",
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
        "The number below the maps says how far they agree. 1 is the same order of places, 0 is no relation, −1 the opposite. On these photos it is near 0. Neither method is wrong: they ask different questions.",
      ],
    },
    limits: [
      "What did this project find? On 100 drawn scenes, whose object is known, the share of saliency (smoothed) on the object rises from 36 % for a plain network to 46 % for AdvProp's main. By Grad-CAM it hardly rises: from 27 to 29 %. Did AdvProp look at the object more? By one map yes, by the other hardly. What a map says depends on the map.",
      "So compare maps only with the same method, the same class and one colour scale. And say no more than a map does: by this method, the score came most from this place.",
    ],
  },
  tests: {
    a: [
      {
        question: "A map is yellow on a cat's face. What do you know?",
        choices: [
          "The network knows what a face is",
          "The network used nothing else",
          "By this method, the score came most from there",
        ],
        why: "A map is a measurement by one method. It says nothing about knowing.",
      },
      {
        question: "Grad-CAM and saliency of the same answer look different. Why?",
        choices: [
          "They measure different things",
          "One of them must be broken",
          "The network changed its answer",
        ],
        why: "One asks the cells of a late layer, the other each pixel.",
      },
    ],
    b: [
      {
        question: "A map lies on the dog of a photo. Which sentence says no more than that?",
        choices: [
          "The network will be right about other dogs",
          "By this method, the score depends most on this place",
          "The network sees the dog as you do",
        ],
        why: "The others may be true, but no map shows them.",
      },
      {
        question: "What must be the same before you compare two maps?",
        choices: [
          "The brightness of the photo",
          "The size of the file",
          "The method, the class and the colour scale",
        ],
        why: "Otherwise the maps differ for reasons that are not the network's.",
      },
    ],
  },
} as const satisfies LessonWords;
