package wsprovider.live;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.wss4j.common.WSS4JConstants;
import org.apache.wss4j.dom.WSConstants;

/**
 * What a request message shall look like: one of the scenarios 1 to 8 and 16, with deviations.
 *
 * @param keyBits length of the session key, or 0 for the one the encryption algorithm needs
 * @param derivedKeys 0 for none, else WSS4J's number of the WS-SecureConversation version
 * @param wrong the deliberate mistakes, by name
 */
record Shape(
        boolean transport, boolean asymmetric, boolean signBody, boolean encryptBody, boolean userToken,
        boolean encryptUserToken, boolean encryptSignature, boolean encryptFirst, boolean protectTokens,
        int signatureReference, int encryptionReference, int derivedKeys, int derivedSignatureBytes, int keyBits,
        String signature, String digest, String encryption, String keyTransport, String oaepDigest, String mgf,
        Set<String> wrong) {

    private static final Set<String> MISTAKES = Set.of("noTimestamp", "staleTimestamp", "unsignedTimestamp",
        "unsignedBody", "plainBody", "unsignedUsernameToken", "changedBody", "brokenSignatureValue");

    static Shape of(Request request) {
        int scenario = request.number("scenario", 2);
        boolean asymmetric = request.flag("asymmetric", scenario == 2 || scenario == 5);
        Request suite = request.object("suite");
        String encryption = suite.text("encryption", WSS4JConstants.AES_256);
        String reference = request.text("keyReference");
        Set<String> wrong = new HashSet<>(request.texts("addWrongThing"));
        if (!MISTAKES.containsAll(wrong)) {
            throw new IllegalArgumentException("known mistakes are " + MISTAKES);
        }
        return new Shape(
            scenario == 1,
            asymmetric,
            request.flag("signBody", List.of(2, 3, 5, 6, 8, 16).contains(scenario)),
            request.flag("encryptBody", scenario >= 4 && scenario != 16),
            request.flag("usernameToken", List.of(1, 7, 8).contains(scenario)),
            request.flag("encryptUsernameToken", false),
            request.flag("encryptSignature", false),
            request.flag("encryptBeforeSigning", false),
            request.flag("protectTokens", false),
            reference(request.text("signatureKeyReference", reference == null ? "DirectReference" : reference)),
            reference(request.text("encryptionKeyReference", reference == null ? "Thumbprint" : reference)),
            derivedKeys(request.text("derivedKeys")),
            request.number("derivedSignatureBytes", encryption.contains("128") ? 16 : 24),
            request.number("keyBits", 0),
            suite.text("signature",
                asymmetric && !request.has("derivedKeys") ? WSS4JConstants.RSA_SHA1 : WSS4JConstants.HMAC_SHA1),
            suite.text("digest", WSS4JConstants.SHA1),
            encryption,
            suite.text("keyTransport", WSS4JConstants.KEYTRANSPORT_RSAOAEP),
            suite.text("oaepDigest"),
            suite.text("mgf"),
            wrong);
    }

    /** A key sent along, that the reply uses too, instead of the sender's own key pair. */
    boolean usesSessionKey() {
        return !transport && (!asymmetric || derivedKeys != 0);
    }

    boolean isWrong(String mistake) {
        return wrong.contains(mistake);
    }

    private static int derivedKeys(String version) {
        if (version == null) {
            return 0;
        }
        return switch (version) {
            case "200502" -> 1;
            case "200512" -> 2;
            default -> throw new IllegalArgumentException("derivedKeys is 200502 or 200512");
        };
    }

    private static int reference(String name) {
        return switch (name) {
            case "DirectReference" -> WSConstants.BST_DIRECT_REFERENCE;
            case "IssuerSerial" -> WSConstants.ISSUER_SERIAL;
            case "IssuerSerialQuoteFormat" -> WSConstants.ISSUER_SERIAL_QUOTE_FORMAT;
            case "X509KeyIdentifier" -> WSConstants.X509_KEY_IDENTIFIER;
            case "SKIKeyIdentifier" -> WSConstants.SKI_KEY_IDENTIFIER;
            case "Thumbprint" -> WSConstants.THUMBPRINT_IDENTIFIER;
            case "X509SKI" -> WSConstants.X509_SKI;
            case "KeyValue" -> WSConstants.KEY_VALUE;
            default -> throw new IllegalArgumentException("unknown key reference " + name);
        };
    }
}
