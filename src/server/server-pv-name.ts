// What is the PV called that every server has, and that no search by UDP finds?

export const SERVER_PV = 'server';
