/* Calls the echo service once by gSOAP and its wsse plugin.

   client SCENARIO URL KEYS TEXT [USER PASSWORD text|digest]

   KEYS is the folder of development keys. Prints the text that came back; or the fault on standard error, with exit
   status 1. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wsseapi.h"
#include "soapH.h"
#include "EchoSoap11.nsmap"

static FILE *file(const char *folder, const char *name)
{
  char path[4096];
  FILE *opened;
  snprintf(path, sizeof path, "%s/%s", folder, name);
  opened = fopen(path, "r");
  if (!opened)
  {
    perror(path);
    exit(2);
  }
  return opened;
}

int main(int argc, char **argv)
{
  const char *scenario = argv[1], *keys = argv[3];
  char ca[4096];
  struct ns1__echo request;
  struct ns1__echoResponse reply;
  struct soap *soap = soap_new1(SOAP_XML_CANONICAL | SOAP_C_UTFSTRING);
  EVP_PKEY *key = PEM_read_PrivateKey(file(keys, "client-1.key.pem"), NULL, NULL, NULL);
  X509 *mine = PEM_read_X509(file(keys, "client-1.cert.pem"), NULL, NULL, NULL);
  X509 *theirs = PEM_read_X509(file(keys, "service.cert.pem"), NULL, NULL, NULL);
  int failed = 0;

  (void)argc;
  snprintf(ca, sizeof ca, "%s/ca.pem", keys);
  soap_register_plugin(soap, soap_wsse);
  if (soap_ssl_client_context(soap, SOAP_SSL_REQUIRE_SERVER_AUTHENTICATION, NULL, NULL, ca, NULL, NULL))
    failed = 1;
  soap_wsse_add_Timestamp(soap, "Timestamp", 300);
  if (*scenario == '1')
  {
    if (strcmp(argv[7], "digest"))
      soap_wsse_add_UsernameTokenText(soap, "User", argv[5], argv[6]);
    else
      soap_wsse_add_UsernameTokenDigest(soap, "User", argv[5], argv[6]);
  }
  else
  {
    soap_wsse_verify_auto(soap, SOAP_SMD_VRFY_RSA_SHA256, X509_get_pubkey(theirs), 0);
    soap_wsse_add_BinarySecurityTokenX509(soap, "Certificate", mine);
    soap_wsse_add_KeyInfo_SecurityTokenReferenceX509(soap, "#Certificate");
    soap_wsse_sign_body(soap, SOAP_SMD_SIGN_RSA_SHA256, key, 0);
    soap_wsse_sign_only(soap, "Timestamp Body");
  }
  if (*scenario == '5')
  {
    soap_wsse_decrypt_auto(soap, SOAP_MEC_ENV_DEC_AES256_CBC, key, 0);
    soap_wsse_add_EncryptedKey(soap, SOAP_MEC_ENV_ENC_AES256_CBC, "Key", theirs, NULL, NULL, NULL);
  }
  request.text = argv[4];
  if (failed || soap_call___ns1__echo(soap, argv[2], NULL, &request, &reply)
      || soap_wsse_verify_Timestamp(soap)
      || (*scenario != '1' && soap_wsse_verify_body(soap)))
  {
    soap_print_fault(soap, stderr);
    return 1;
  }
  printf("%s", reply.text);
  return 0;
}
