import type { LessonWords } from "../shape";

export const norms = {
  title: "Can one BatchNorm serve two kinds of pictures?",
  about: "You watch the running mean of a norm layer between clean and attacked digits.",
  inShort: [
    "A BatchNorm layer keeps a running mean of what passes through it, and how far it spreads: its running variance.",
    "Where clean and attacked pictures have different means, one running mean lies between and fits neither.",
    "AdvProp gives each kind its own norm layers, and shares all other weights: the numbers that a network learns.",
    "Running means fit only the weights that they were collected with. Swapping them breaks a network.",
  ],
  tasks: [
    "Find a mean in daily life that describes nobody well. What would two means tell you?",
    "Norm layers are about one hundredth of a network. Why is a second set cheap?",
  ],
  parts: {
    start: [
      "A deep network has many layers. Each layer computes new numbers from its input and passes them on. Between them sit **BatchNorm** layers, norm layers for short. A norm layer subtracts a mean, and divides by how far the numbers usually lie from it. So they stay in a range that the next layer can use. Then it multiplies by a number and adds another. It learned these two numbers. They are called **γ** (gamma) and **β** (beta).",
      "Which mean? While the network learns, each step shows it a **batch**, a handful of pictures. The norm layer takes the batch's mean. It also keeps a **running mean** for later: nine tenths of the old one and one tenth of the new. When learning is over, it uses the running mean alone.",
      "Below is such a running mean, on real digits. The numbers are the scores that the model of lesson 2 gives to sevens. They come in batches of eight. Blue batches are clean. Orange ones are attacked with FGSM at ε = 0.25.",
    ],
    means: {
      question:
        "Clean and attacked batches take turns. One norm layer keeps one running mean. Where will it be in the end?",
      choices: [
        "At the mean of the clean batches",
        "At the mean of the attacked batches",
        "Between the two, where hardly any batch is",
      ],
      after: [
        "Press play. Then tick the box, and each kind has a norm layer of its own. Now there are two means, and each is in the middle of its batches.",
      ],
    },
    split: [
      "AdvProp (Xie and others, 2019) uses two sets of norm layers. All other **weights**, the numbers that the network learned, are shared. The network seen through the first set is its branch **main**, for clean pictures. Through the second set it is its branch **aux**, for attacked ones. A second set adds about 1 % to the weights.",
    ],
    branches: {
      question:
        "This network has both branches. The crescent is attacked through main, at 4/255, and main is fooled. Both branches see the same attacked picture. What does aux say?",
      choices: ["The same as main", "Crescent, the right answer", "It is unsure of everything"],
      after: [
        "Same picture, same weights, other norm layers, another answer. aux is not always right: move the slider to 8.",
      ],
    },
    train: [
      "Now train such a network yourself. The first chart counts right answers. The second shows the **loss**, a number for how wrong the answers are: 0 is best. Below are the norm layers. main and aux start equal, and become different while the network learns.",
      "When it is done, choose **One BatchNorm** and start again. Now the lines of clean and of attacked pictures lie almost on each other: unlike the digits' scores, they have nearly the same means. So in this small network it is not the pictures alone that pull main and aux apart. Each branch learns its own γ and β, so each branch computes different numbers from its pictures.",
    ],
    halves: [
      "What did this project measure? On small networks that were trained from scratch, AdvProp's main was right on 1.6 of 100 clean photos more than the same network with **one** BatchNorm for both kinds. That is the mean of five trainings. Its 95 % interval goes from 0.7 to 2.4. On a larger network that had learned from many photos before, one BatchNorm did as well. So two BatchNorms can help, but not always.",
      "What makes aux hard to fool: γ and β, or the running means? The running means hardly matter: collecting them again on other pictures changes almost nothing. γ and β matter. But if you put one branch's running means under the other's γ and β, right answers on clean photos fall from 90 % to 18 %. Running means fit only the weights that they were collected with.",
    ],
  },
  tests: {
    a: [
      {
        question:
          "A network sees as many clean batches as attacked ones. Whose numbers does its one running mean describe?",
        choices: [
          "Those of the clean ones",
          "Those of the batch seen last",
          "Those of neither kind",
        ],
        why: "It lies between the two. Each batch pulls it a tenth of the way, once to this side and once to that.",
      },
      {
        question: "What do AdvProp's branches main and aux share?",
        choices: [
          "The norm layers",
          "All that is not a norm layer",
          "Nothing: they are two networks",
        ],
        why: "Each branch has norm layers of its own. All other weights are the same.",
      },
    ],
    b: [
      {
        question:
          "The clean batches of a layer have means near 4, the attacked ones near 0. They come in turn, many of each. Where does one running mean stay?",
        choices: [
          "Near 4: the first batch was clean",
          "Near 2, where no batch is",
          "Near 0: the last batch was attacked",
        ],
        why: "Each batch pulls it a tenth of the way, once up and once down. So it stays between the two.",
      },
      {
        question:
          "With AdvProp a network holds about 1 % more numbers than without. What are they?",
        choices: ["Its second norm layers", "Its attacked pictures", "Its second last layer"],
        why: "Only norm layers are doubled. All other weights serve both branches.",
      },
    ],
  },
} as const satisfies LessonWords;
