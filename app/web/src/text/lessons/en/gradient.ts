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
      "Here is the smallest network: one sum. It has eight pixels, and each pixel has a **weight**. It multiplies each pixel by its weight and adds everything up. If the sum, its **score**, is above 0, it says “boat”. The larger the score, the surer it is: a formula makes 50 % of a score of 0, 88 % of 2 and 98 % of 4.",
      "You may move each pixel by 0.2, up or down. A larger number is a brighter pixel.",
    ],
    pixels: {
      question:
        "You want the network to be less sure of “boat”. One pixel has the weight −3. How do you move it?",
      choices: ["Make it darker", "Make it brighter", "It makes no difference"],
      after: [
        "A brighter pixel times −3 takes more away from the score. So make a pixel brighter where its weight is negative, and darker where its weight is positive. Now fool the network with all eight pixels. Then press “Move all eight for me”, and compare.",
      ],
    },
    sign: [
      "The weight of a pixel is how fast the score rises when the pixel gets brighter. For larger networks this number has a name: the **gradient**. It can be computed for each pixel of any network.",
      "The button moved every pixel by the same ε against the sign of its gradient, its plus or minus. This is called the **fast gradient sign method**, FGSM (Goodfellow and others, 2014). For a sum, no attack of this size is stronger. The score falls by ε times the sizes of all weights, added up.",
      "Next: a sum of 64 pixels that tells threes from sevens. People wrote these digits. The model learned from 241 of them. On 121 others it makes no mistake.",
    ],
    digit: {
      question:
        "Every pixel of these 121 digits moves by at most 0.25, with FGSM. (Here black is 1 and white is 0, as with ink.) On how many is the model still right?",
      choices: ["On nearly all", "On very few", "On about half"],
      after: [
        "You can still read most of the digits. The model cannot. The third picture shows the weights: orange pixels speak for seven, blue ones for three. FGSM is a copy of their signs.",
        "There are 64 small pushes, and all go the same way. Move ε down to see where the model is right again.",
      ],
    },
    photo: [
      "A photo of 128 × 128 pixels has 49,152 colour values, so the smallest step is enough. This is one FGSM step on the network of lesson 1, at 2/255. PGD, the attack of lesson 1, is the same in ten smaller steps. It computes the gradient again at each step.",
    ],
    end: [
      "You know now how an attack finds its direction. It needs no luck: the network's own gradient tells it.",
    ],
  },
  tests: {
    a: [
      {
        question:
          "One pixel has the gradient +4, another −0.1. FGSM wants a lower score, with ε = 0.2. How does it move the two?",
        choices: [
          "The first 0.2 darker, the second hardly",
          "The first 0.2 darker, the second 0.2 brighter",
          "Both 0.2 darker",
        ],
        why: "Each moves by the whole ε, against the sign of its own gradient.",
      },
      {
        question:
          "FGSM moves no pixel by more than 0.1. What makes the answer change all the same?",
        choices: [
          "It finds the one pixel that decides",
          "It moves important pixels by more",
          "Each move takes something off the score",
        ],
        why: "Each pixel moves the way that harms, so nothing cancels.",
      },
    ],
    b: [
      {
        question:
          "One pixel has the weight −3, another +0.5. FGSM wants a lower score, with ε = 0.1. How does it move the two?",
        choices: [
          "The first 0.1 brighter, the second 0.1 darker",
          "The first 0.3 brighter, the second 0.05 darker",
          "The first 0.1 darker, the second 0.1 brighter",
        ],
        why: "Each moves by the whole ε, against the sign of its own weight.",
      },
      {
        question:
          "One sum has 8 pixels, another 64. Their weights are about equally large. FGSM attacks both with the same ε. Whose score falls further?",
        choices: [
          "Both equally far: ε is the same",
          "That of 64 pixels",
          "That of 8: each pixel counts for more",
        ],
        why: "Each pixel takes ε times the size of its weight off the score. 64 such parts are more than 8.",
      },
    ],
  },
} as const satisfies LessonWords;
