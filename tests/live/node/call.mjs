// Calls the echo service by node-soap, with clients that another module makes.
//
// node call.mjs MODULE FUNCTION: FUNCTION is one of those that MODULE exports. Standard input has JSON: `arguments` of
// the function, `clients` and `calls` of each (1), `text`, `bend` ([from, to]: changes messages on their way), `endpoint`
// (another than the WSDL's).
// Standard output gets JSON: `texts` up to the first `fault`, and `request`, the last message as it was written.
import fs from "node:fs";
import { pathToFileURL } from "node:url";

const page = await import(pathToFileURL(process.argv[2]));
const order = JSON.parse(fs.readFileSync(0, "utf8"));
const answer = { texts: [] };
const bend = order.bend && { postProcess: (xml) => ((answer.request = xml), xml.replace(...order.bend)) };
try {
  for (let made = 0; made < (order.clients ?? 1); made++) {
    const client = await page[process.argv[3]](...order.arguments);
    if (order.endpoint) client.setEndpoint(order.endpoint);
    for (let call = 0; call < (order.calls ?? 1); call++) {
      const [reply, , , request] = await client.echoAsync({ text: order.text }, bend);
      answer.texts.push(reply.text);
      answer.request = request;
    }
  }
} catch (problem) {
  answer.fault = problem.message;
}
console.log(JSON.stringify(answer));
