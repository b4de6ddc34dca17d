// What a test of a program that uses pvkit needs: an in-memory network, a clock moved by hand, the contract suites.
export {};
