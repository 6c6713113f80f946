// In the command undici speaks HTTP/1.1, as it does where nobody asks for more.
module.exports = () => {
  throw new Error('HTTP/2 is not spoken here');
};
