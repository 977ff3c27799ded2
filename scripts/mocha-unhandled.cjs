// Mocha lets a promise that is rejected with nobody there pass in silence. Thrown here, it fails the test that is running.
process.on('unhandledRejection', (reason) => {
  throw reason;
});
