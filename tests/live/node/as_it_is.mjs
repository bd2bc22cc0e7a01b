// node-soap without the options that docs/peers/node-soap.md names: what the services refuse.
import fs from "node:fs";
import https from "node:https";
import axios from "axios";
import soap from "soap";

async function secured(wsdl, caFile, security) {
  const httpsAgent = new https.Agent({ ca: fs.readFileSync(caFile) });
  const client = await soap.createClientAsync(wsdl, { request: axios.create({ httpsAgent }) });
  client.setSecurity(security);
  return client;
}

function signed(keyFile, certificateFile, options) {
  return new soap.WSSecurityCert(fs.readFileSync(keyFile), fs.readFileSync(certificateFile), "", options);
}

export function certificate(wsdl, caFile, keyFile, certificateFile, options) {
  return secured(wsdl, caFile, signed(keyFile, certificateFile, options));
}

export function both(wsdl, caFile, user, password, keyFile, certificateFile, options) {
  const token = new soap.WSSecurity(user, password);
  return secured(wsdl, caFile, new soap.WSSecurityPlusCert(token, signed(keyFile, certificateFile, options)));
}

export function certificateWithToken(wsdl, caFile, user, password, keyFile, certificateFile, options) {
  const security = new soap.WSSecurityCertWithToken({
    privateKey: fs.readFileSync(keyFile),
    publicKey: fs.readFileSync(certificateFile),
    username: user,
    password,
    options,
  });
  return secured(wsdl, caFile, security);
}
