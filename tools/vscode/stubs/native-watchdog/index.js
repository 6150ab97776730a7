// In place of the native module of the same name: a process that ends with its parent.
exports.start = (parentPid) => {
  const look = () => {
    try {
      process.kill(parentPid, 0);
    } catch {
      process.exit(87);
    }
  };
  setInterval(look, 3000).unref();
};
exports.exit = (code) => process.exit(code || 0);
