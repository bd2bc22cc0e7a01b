/* Calls the echo service once by gSOAP, with the functions that docs/peers/gsoap.md describes.

   client WHAT URL KEYS SERVICE USER PASSWORD TEXT

   WHAT is password, digest, certificate, unchecked (as certificate, with the plugin's own checks of the reply alone),
   both, encrypted, or oaep (as encrypted, with another key transport). KEYS is the folder of development keys, SERVICE the
   file of the certificate to encrypt to and to verify by. Prints the text that came back; or the fault on standard error,
   with exit status 1. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "secure.c"
#include "EchoSoap11.nsmap"

static FILE *opened(const char *path)
{
  FILE *file = fopen(path, "r");
  if (!file)
  {
    perror(path);
    exit(2);
  }
  return file;
}

static const char *in(const char *folder, const char *name)
{
  char *path = malloc(strlen(folder) + strlen(name) + 2);
  sprintf(path, "%s/%s", folder, name);
  return path;
}

int main(int argc, char **argv)
{
  const char *what = argv[1], *url = argv[2], *keys = argv[3], *user = argv[5], *password = argv[6];
  EVP_PKEY *key = PEM_read_PrivateKey(opened(in(keys, "client-1.key.pem")), NULL, NULL, NULL);
  X509 *certificate = PEM_read_X509(opened(in(keys, "client-1.cert.pem")), NULL, NULL, NULL);
  X509 *service = PEM_read_X509(opened(argv[4]), NULL, NULL, NULL);
  int encrypted = !strcmp(what, "encrypted") || !strcmp(what, "oaep");
  int unchecked = !strcmp(what, "unchecked");
  int signed_reply = encrypted || unchecked || !strcmp(what, "certificate");
  int signature = signed_reply || !strcmp(what, "both");
  struct ns1__echo request = {argv[7]};
  struct ns1__echoResponse reply;
  struct soap *soap = open_soap(in(keys, "ca.pem"));

  (void)argc;
  if (add_timestamp(soap)
      || ((!strcmp(what, "password") || !strcmp(what, "both")) && soap_wsse_add_UsernameTokenText(soap, "User", user, password))
      || (!strcmp(what, "digest") && soap_wsse_add_UsernameTokenDigest(soap, "User", user, password))
      || (signature && sign(soap, key, certificate))
      || (signed_reply && verify_reply(soap, service))
      || (encrypted && encrypt(soap, key, service))
      || (!strcmp(what, "oaep") && soap_wsse_add_EncryptedKey(soap, SOAP_MEC_ENV_ENC_AES256_CBC | SOAP_MEC_OAEP, "Key", service, NULL, NULL, NULL))
      || soap_call___ns1__echo(soap, url, NULL, &request, &reply)
      || (signed_reply && !unchecked && reply_is_signed(soap)))
  {
    soap_print_fault(soap, stderr);
    return 1;
  }
  printf("%s", reply.text);
  return 0;
}
