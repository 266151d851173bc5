import type { LessonWords } from "../shape";

export const fooled = {
  title: "A picture that fools a network",
  about: "You change a photo so little that you cannot see it, and ask a network again.",
  inShort: [
    "A network turns a picture into a probability for each class that it knows.",
    "An adversarial picture is a clean picture plus a small change that is made to fool a network.",
    "Its size is measured: at 2/255 no colour value moves by more than 2 of 255 levels.",
    "Random noise of the same size hardly does anything. The attack is strong because it is aimed.",
  ],
  tasks: [
    "Explain to a neighbour why “the change is small” and “the change is random” are two different things.",
    "Where would a picture that fools a network do harm? Name one place.",
  ],
  parts: {
    start: [
      "Below is a **network**: a program that learned from examples, here from more than a million photos. It knows 1000 kinds of things, its **classes**. You give it a photo. It gives every class a probability, and all of them together make 100 %. The most probable class is its answer.",
      "A photo is a table of numbers. Every pixel has three of them: how much red, green and blue. Each is a whole number from 0 to 255. We call such a number a **colour value**.",
    ],
    attack: {
      question:
        "The network says espresso to the first photo, and is 98 % sure. Now every colour value changes by at most 2 of 255 levels, on purpose to fool the network. What will it say?",
      choices: [
        "Still espresso",
        "Something else, but it is not sure",
        "Something else, and it is sure of it",
      ],
      after: [
        "“Clean” is the photo as it was, “perturbed” is the photo after the change. The network is sure of something that you do not see at all. The third picture shows the change, made many times larger. Move the slider to 0 and up again.",
        "Then try the other photos. The network is wrong about the cat and the rocket from the start. The attack moves away from the right answer, so it can make a wrong one surer, or change it to another wrong one.",
        "This attack is called **PGD**. How it finds the change is the next lesson.",
      ],
    },
    small: [
      "A picture that was changed in this way is called **adversarial**. The largest change of any colour value is written as a fraction: 2/255. It is called **ε**, the strength of the attack.",
      "Perhaps any change would do this. Photos are never perfect: cameras make noise. So here is the fair comparison: a change by chance, just as large.",
    ],
    noise: {
      question:
        "Now each colour value changes by chance, again by at most 2 of 255 levels. What will the network say to the coffee?",
      choices: ["Still espresso", "Something else", "It cannot decide among many classes"],
      after: [
        "Random noise does almost nothing. The slider goes to 16 here. Not every photo is like this one. The network is wrong about the rocket, and a little noise even corrects it.",
      ],
    },
    end: [
      "So the size of a change alone does not decide. Its direction counts for more. An attack searches for a direction that harms.",
      "That is why attacks matter. Noise comes from cameras, and networks mostly stay right. An attack comes from somebody who searches for a harmful direction.",
    ],
  },
  tests: {
    a: [
      {
        question: "A photo was attacked at ε = 2/255. What did the attack change?",
        choices: [
          "2 of every 255 pixels, by much",
          "Nearly every colour value, by a little",
          "One spot, where the network looks",
        ],
        why: "ε limits each colour value: none moves by more than 2 of 255 levels. All of them may move.",
      },
      {
        question:
          "Two changes have the same size. One is by chance, one is an attack. What do they do to a network?",
        choices: [
          "Both fool it about equally often",
          "Neither of them fools it often",
          "Only the attack fools it often",
        ],
        why: "The attack is aimed: every value moves in the direction that harms. Random moves cancel each other.",
      },
    ],
    b: [
      {
        question:
          "Somebody checks photos by eye, before a network sees them. What gives an attack of ε = 2/255 away?",
        choices: [
          "A spot that does not belong there",
          "A faint picture of the wrong answer",
          "Nothing that an eye could find",
        ],
        why: "The change is spread over the whole photo, at most 2 of 255 levels in each colour value. That is too little for the eye.",
      },
      {
        question:
          "An attack changes a network's answer from espresso to teapot. A camera adds noise of the same size to the clean photo. What does the network most likely say to that?",
        choices: ["Espresso, as before", "Teapot, as after the attack", "A third thing"],
        why: "Noise of this size has no direction that harms, so the answer mostly stays.",
      },
    ],
  },
} as const satisfies LessonWords;
