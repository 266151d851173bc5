import type { LessonWords } from "../shape";

export const gradient = {
  title: "The gradient that does it",
  about: "You attack by hand: first eight pixels, then a written digit, then a photo.",
  inShort: [
    "The gradient says for each pixel which way the network's score goes when the pixel gets brighter.",
    "FGSM moves every pixel by ε, each against its own gradient. Only the sign counts.",
    "Each move is small, but all of them push the same way, so they add up.",
    "A photo has tens of thousands of colour values. That is why a change that nobody sees is enough.",
  ],
  tasks: [
    "A sum has the weights 2, −1 and 4. Each input may move by 0.1. How far down can the sum go at most?",
    "Why does FGSM use the sign of the gradient and not its size?",
  ],
  parts: {
    start: [
      "Here is the smallest network: one sum. It has eight pixels, and each pixel has a **weight**. It multiplies each pixel by its weight and adds everything up. If the sum, its **score**, is above 0, it says “boat”. The larger the score, the surer it is.",
      "You may move each pixel by 0.2, up or down. A larger number is a brighter pixel.",
    ],
    pixels: {
      question:
        "You want the network to be less sure of “boat”. One pixel has the weight −3. How do you move it?",
      choices: ["Make it darker", "Make it brighter", "It makes no difference"],
      after: [
        "A brighter pixel times −3 takes more away from the score. So where the weight is negative, up; where it is positive, down. Now fool the network with all eight pixels. Then press the button, and compare.",
      ],
    },
    sign: [
      "The weight of a pixel is how fast the score rises when the pixel gets brighter. For larger networks this number has a name: the **gradient**. It can be computed for each pixel of any network.",
      "To move every pixel by the same ε against the sign of its gradient is called the **fast gradient sign method**, FGSM (Goodfellow and others, 2014). For a sum it is the best there is. The score falls by ε times the sizes of all weights, added up.",
      "Next: a sum of 64 pixels that tells threes from sevens. People wrote these digits. The model learned from 241 of them. On 121 others it makes no mistake.",
    ],
    digit: {
      question:
        "Every pixel of these 121 digits moves by at most 0.25, with FGSM. (Here black is 1 and white is 0, as with ink.) On how many is the model still right?",
      choices: ["On nearly all", "On few: about 1 in 25", "On about half"],
      after: [
        "You still read the digit. The model does not. The third picture shows the weights: orange pixels speak for seven, blue ones for three. FGSM is a copy of their signs.",
        "There are 64 small pushes, and all go the same way. Move ε down to see where the model holds.",
      ],
    },
    photo: [
      "A photo of 128 × 128 pixels has 49,152 colour values, so the smallest step is enough. This is one FGSM step on the network of lesson 1, at 2/255. PGD, the attack of lesson 1, is the same in ten smaller steps. It asks for the gradient anew each time.",
    ],
    end: [
      "You know now how an attack finds its direction. It needs no luck: the network's own gradient tells it.",
    ],
  },
  tests: {
    a: [
      {
        question:
          "A network's score rises when a pixel gets darker. An attack wants a lower score. How does it move this pixel?",
        choices: ["Darker", "Brighter", "Not at all"],
        why: "Darker raises the score, so brighter lowers it.",
      },
      {
        question: "Each of very many pixels moves only a little. Why can that change the answer?",
        choices: [
          "One of the pixels decides alone",
          "The network rounds small numbers up",
          "The small effects push the same way and add up",
        ],
        why: "Each pixel moves the way that harms, so nothing cancels.",
      },
    ],
    b: [
      {
        question:
          "A network's score rises when a pixel gets brighter. An attack wants a lower score. How does it move this pixel?",
        choices: ["Darker", "Brighter", "Not at all"],
        why: "Brighter raises the score, so darker lowers it.",
      },
      {
        question: "Why is one FGSM step so strong against a sum of 64 pixels?",
        choices: [
          "It changes one pixel by very much",
          "All 64 small effects go the same way and add up",
          "It deletes the digit",
        ],
        why: "No pixel moves far. The effects add up because each has the sign that harms.",
      },
    ],
  },
} as const satisfies LessonWords;
