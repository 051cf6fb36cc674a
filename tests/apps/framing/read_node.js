// Reads HTTP/1.1 messages with llhttp, the parser inside Node, and says what it saw.
// Standard input and output are those of read_h11.py.
'use strict';

const { HTTPParser, methods, allMethods } = process.binding('http_parser');
const METHODS = allMethods || methods;

const text = (buffer) => buffer.toString('latin1');

function pairs(flat) {
  const result = [];
  for (let i = 0; i < flat.length; i += 2) result.push([flat[i], flat[i + 1]]);
  return result;
}

function read(side, method, data) {
  const messages = [];
  let flushed = [];
  let url = '';
  let open = null;
  let over = false;
  const parser = new HTTPParser();
  parser.initialize(side === 'request' ? HTTPParser.REQUEST : HTTPParser.RESPONSE, {}, 1 << 20);
  parser[HTTPParser.kOnHeaders | 0] = (headers, part) => {
    if (open) {
      open.trailers.push(...pairs(headers));
    } else {
      flushed.push(...headers);
      url += part;
    }
  };
  parser[HTTPParser.kOnHeadersComplete | 0] = (major, minor, headers, verb, target, status) => {
    const fields = pairs(headers || flushed);
    const start = side === 'request' ? METHODS[verb] + ' ' + (target || url) : String(status);
    flushed = [];
    url = '';
    open = { start, version: major + '.' + minor, fields, body: '', trailers: [] };
    open.complete = false;
    open.end = null;
    if (!over) messages.push(open);
    return method === 'HEAD' ? 1 : 0;
  };
  parser[HTTPParser.kOnBody | 0] = (body) => {
    open.body += body.toString('hex');
  };
  parser[HTTPParser.kOnMessageComplete | 0] = () => {
    open.complete = true;
    // A response that is not interim is the last that was asked for.
    over ||= side === 'response' && !(open.start.startsWith('1') && open.start !== '101');
    open = null;
  };
  let error = parser.execute(data);
  if (typeof error === 'number' && side === 'response') error = parser.finish();
  const reason = error instanceof Error ? error.code + ': ' + error.reason : null;
  return { messages, error: over ? null : reason };
}

const chunks = [];
process.stdin.on('data', (chunk) => chunks.push(chunk));
process.stdin.on('end', () => {
  const inputs = JSON.parse(text(Buffer.concat(chunks)));
  const seen = inputs.map(([side, method, , hex]) => read(side, method, Buffer.from(hex, 'hex')));
  process.stdout.write(JSON.stringify(seen));
});
