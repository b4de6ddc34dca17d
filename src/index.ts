// The public names of pvkit, listed by hand.
export {};
