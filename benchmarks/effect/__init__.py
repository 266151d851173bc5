"""Does AdvProp help, and when? Real photos, five seeds; PLAN.md and SCALES.md say what is asked."""
