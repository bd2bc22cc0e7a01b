package wsprovider.live;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.stream.Stream;
import javax.crypto.KeyGenerator;
import javax.crypto.SecretKey;
import javax.crypto.spec.SecretKeySpec;
import javax.xml.crypto.dsig.Reference;
import org.apache.wss4j.common.WSEncryptionPart;
import org.apache.wss4j.common.WSS4JConstants;
import org.apache.wss4j.common.util.KeyUtils;
import org.apache.wss4j.common.util.WSCurrentTimeSource;
import org.apache.wss4j.common.util.WSTimeSource;
import org.apache.wss4j.common.util.XMLUtils;
import org.apache.wss4j.dom.WSConstants;
import org.apache.wss4j.dom.message.WSSecDKEncrypt;
import org.apache.wss4j.dom.message.WSSecDKSign;
import org.apache.wss4j.dom.message.WSSecEncrypt;
import org.apache.wss4j.dom.message.WSSecEncryptedKey;
import org.apache.wss4j.dom.message.WSSecHeader;
import org.apache.wss4j.dom.message.WSSecSignature;
import org.apache.wss4j.dom.message.WSSecTimestamp;
import org.apache.wss4j.dom.message.WSSecUsernameToken;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.Node;

/**
 * One request that WSS4J makes safe, piece by piece.
 *
 * <p>The header is written in the order in which it must be read: Timestamp, key, what the key decrypts, tokens,
 * Signature. With encryption first the Signature comes before the tokens and what decrypts.
 */
final class SecuredRequest {
    private final Shape shape;
    private final KeyMaterial material;
    private final Document envelope;
    private final Ticket ticket;
    private final Soap soap;
    private final WSSecHeader header;
    private final List<WSEncryptionPart> signed = new ArrayList<>();
    private final List<WSEncryptionPart> encrypted = new ArrayList<>();
    private final Map<String, byte[]> sessionKeys = new HashMap<>();
    private final List<byte[]> signatureValues = new ArrayList<>();
    private SecretKey sessionKey;
    private String keyId;
    private String keyType = WSS4JConstants.WSS_ENC_KEY_VALUE_TYPE;

    /** With a ticket its key is the session key; else one is made and wrapped for the service. */
    SecuredRequest(Shape shape, KeyMaterial material, Document envelope, Ticket ticket) throws Exception {
        this.shape = shape;
        this.material = material;
        this.envelope = envelope;
        this.ticket = ticket;
        soap = Soap.of(envelope);
        header = new WSSecHeader(envelope);
        header.insertSecurityHeader();
    }

    /** Keys this message told the server, by EncryptedKeySHA1. */
    Map<String, byte[]> sessionKeys() {
        return sessionKeys;
    }

    List<byte[]> signatureValues() {
        return signatureValues;
    }

    Document build(String user, String password, String passwordType) throws Exception {
        if (!shape.isWrong("noTimestamp")) {
            addTimestamp();
        }
        if (ticket != null) {
            addTicket();
        } else if (shape.usesSessionKey()) {
            addSessionKey();
        }
        Node beforeTokens = header.getSecurityHeaderElement().getLastChild();
        if (shape.userToken()) {
            addUsernameToken(user, password, passwordType);
        }
        if (shape.signBody() && !shape.isWrong("unsignedBody")) {
            signed.add(new WSEncryptionPart("Body", soap.namespace(), ""));
        }
        if (shape.encryptBody() && !shape.isWrong("plainBody")) {
            encrypted.add(new WSEncryptionPart("Body", soap.namespace(), "Content"));
        }
        if (shape.transport()) {
            return envelope;
        }
        if (shape.encryptFirst()) {
            List<Element> decryption = encrypt();
            List<Element> tokens = headerAfter(beforeTokens);
            signWhatEncryptionLeft();
            sign();
            tokens.forEach(this::append);
            decryption.forEach(this::append);
        } else {
            sign();
            List<Element> decryption = encrypt();
            List<Element> tokens = headerAfter(beforeTokens);
            decryption.forEach(this::append);
            tokens.forEach(this::append);
        }
        spoil();
        return envelope;
    }

    private void addTimestamp() throws Exception {
        WSSecTimestamp timestamp = new WSSecTimestamp(header);
        timestamp.setTimeToLive(300);
        if (shape.isWrong("staleTimestamp")) {
            timestamp.setWsTimeSource(anHourAgo());
        }
        timestamp.prepare();
        append(timestamp.getElement());
        if (!shape.isWrong("unsignedTimestamp")) {
            signed.add(new WSEncryptionPart(timestamp.getId()));
        }
    }

    private void addUsernameToken(String user, String password, String passwordType) throws Exception {
        WSSecUsernameToken token = new WSSecUsernameToken(header);
        token.setPasswordType(WSS4JConstants.USERNAMETOKEN_NS + "#"
            + (passwordType == null ? "PasswordText" : passwordType));
        token.setUserInfo(user, password);
        token.prepare();
        token.appendToHeader();
        if (!shape.isWrong("unsignedUsernameToken")) {
            signed.add(new WSEncryptionPart(token.getId()));
        }
        if (shape.encryptUserToken()) {
            encrypted.add(new WSEncryptionPart(token.getId(), "Element"));
        }
    }

    /** The ticket's key, by the token in the message or, in a later one, by its name alone. */
    private void addTicket() throws Exception {
        sessionKey = new SecretKeySpec(ticket.key(), "HmacSHA1");
        sessionKeys.put(ticket.sha1(), ticket.key());
        keyType = WSS4JConstants.WSS_GSS_KRB_V5_AP_REQ;
        if (!ticket.named()) {
            keyId = "ticket-" + UUID.randomUUID();
            append(ticket.element(envelope, keyId));
        }
    }

    /** One key for both directions, wrapped for the service. */
    private void addSessionKey() throws Exception {
        sessionKey = newKey();
        WSSecEncryptedKey wrapped = new WSSecEncryptedKey(header);
        wrap(wrapped);
        wrapped.prepare(material.crypto(), sessionKey);
        wrapped.appendBSTElementToHeader();
        wrapped.appendToHeader();
        keyId = wrapped.getId();
        sessionKeys.put(wrapped.getEncryptedKeySHA1(), sessionKey.getEncoded());
        if (shape.protectTokens()) {
            signed.add(new WSEncryptionPart(keyId));
        }
    }

    private void sign() throws Exception {
        if (shape.derivedKeys() != 0) {
            signWithDerivedKey();
        } else {
            signWithKey();
        }
        if (shape.encryptSignature()) {
            encrypted.add(new WSEncryptionPart("Signature", WSConstants.SIG_NS, "Element"));
        }
    }

    private void signWithKey() throws Exception {
        WSSecSignature signature = new WSSecSignature(header);
        signature.setSignatureAlgorithm(shape.signature());
        signature.setDigestAlgo(shape.digest());
        if (shape.asymmetric()) {
            signature.setKeyIdentifierType(shape.signatureReference());
            signature.setUserInfo(material.alias(), new String(material.password()));
        } else if (ticket != null && ticket.named()) {
            signature.setKeyIdentifierType(WSConstants.CUSTOM_KEY_IDENTIFIER);
            signature.setCustomTokenValueType(WSS4JConstants.WSS_KRB_KI_VALUE_TYPE);
            signature.setCustomTokenId(ticket.sha1());
            signature.setSecretKey(sessionKey.getEncoded());
        } else {
            signature.setKeyIdentifierType(WSConstants.CUSTOM_SYMM_SIGNING);
            signature.setCustomTokenValueType(keyType);
            signature.setCustomTokenId(keyId);
            signature.setSecretKey(sessionKey.getEncoded());
        }
        signature.prepare(material.crypto());
        signature.appendBSTElementToHeader();
        if (shape.asymmetric() && shape.protectTokens() && signature.getBSTTokenId() != null) {
            signed.add(new WSEncryptionPart(signature.getBSTTokenId()));
        }
        List<Reference> references = signature.addReferencesToSign(signed);
        signature.computeSignature(references, false, null);
        signatureValues.add(signature.getSignatureValue());
    }

    private void signWithDerivedKey() throws Exception {
        WSSecDKSign signature = new WSSecDKSign(header);
        signature.setWscVersion(shape.derivedKeys());
        signature.setTokenIdentifier(keyId);
        signature.setCustomValueType(keyType);
        signature.setSignatureAlgorithm(shape.signature());
        signature.setDigestAlgorithm(shape.digest());
        signature.setDerivedKeyLength(shape.derivedSignatureBytes());
        signature.prepare(sessionKey.getEncoded());
        signature.appendDKElementToHeader();
        List<Reference> references = signature.addReferencesToSign(signed);
        signature.computeSignature(references, false, null);
        signatureValues.add(signature.getSignatureValue());
    }

    /** Encrypts in place and returns what the header needs for decryption, in its order, not yet inserted. */
    private List<Element> encrypt() throws Exception {
        if (encrypted.isEmpty()) {
            return List.of();
        }
        if (!shape.usesSessionKey()) {
            return encryptForCertificate();
        }
        return shape.derivedKeys() == 0 ? encryptWithKey() : encryptWithDerivedKey();
    }

    private List<Element> encryptForCertificate() throws Exception {
        WSSecEncrypt encryption = new WSSecEncrypt(header);
        encryption.setSymmetricEncAlgorithm(shape.encryption());
        wrap(encryption);
        SecretKey key = newKey();
        encryption.prepare(material.crypto(), key);
        encryption.addInternalRefElement(encryption.encryptForRef(null, encrypted, key));
        sessionKeys.put(encryption.getEncryptedKeySHA1(), key.getEncoded());
        return Stream.of(encryption.getBinarySecurityTokenElement(), encryption.getEncryptedKeyElement())
            .filter(Objects::nonNull).toList();
    }

    private List<Element> encryptWithKey() throws Exception {
        WSSecEncrypt encryption = new WSSecEncrypt(header);
        encryption.setSymmetricEncAlgorithm(shape.encryption());
        encryption.setEncryptSymmKey(false);
        encryption.setEncKeyId(keyId);
        encryption.setCustomReferenceValue(keyType);
        encryption.prepare(material.crypto(), sessionKey);
        return List.of(encryption.encryptForRef(null, encrypted, sessionKey));
    }

    private List<Element> encryptWithDerivedKey() throws Exception {
        WSSecDKEncrypt encryption = new WSSecDKEncrypt(header);
        encryption.setWscVersion(shape.derivedKeys());
        encryption.setTokenIdentifier(keyId);
        encryption.setCustomValueType(keyType);
        encryption.setSymmetricEncAlgorithm(shape.encryption());
        encryption.prepare(sessionKey.getEncoded());
        return List.of(encryption.getdktElement(), encryption.encryptForExternalRef(null, encrypted));
    }

    /** What is gone as an element is signed as the EncryptedData in its place. */
    private void signWhatEncryptionLeft() {
        for (WSEncryptionPart part : encrypted) {
            if ("Element".equals(part.getEncModifier())) {
                signed.replaceAll(other -> part.getId().equals(other.getId())
                    ? new WSEncryptionPart(part.getEncId()) : other);
            }
        }
    }

    private void wrap(WSSecEncryptedKey key) {
        key.setKeyIdentifierType(shape.encryptionReference());
        key.setUseThisCert(material.peer());
        key.setKeyEncAlgo(shape.keyTransport());
        if (shape.oaepDigest() != null) {
            key.setDigestAlgorithm(shape.oaepDigest());
        }
        if (shape.mgf() != null) {
            key.setMGFAlgorithm(shape.mgf());
        }
    }

    private SecretKey newKey() throws Exception {
        KeyGenerator generator = KeyUtils.getKeyGenerator(shape.encryption());
        if (shape.keyBits() != 0) {
            generator.init(shape.keyBits());
        }
        return generator.generateKey();
    }

    /** The header's elements behind a node, all of them when there is no such node. */
    private List<Element> headerAfter(Node node) {
        Element security = header.getSecurityHeaderElement();
        List<Element> found = new ArrayList<>();
        for (Node next = node == null ? security.getFirstChild() : node.getNextSibling();
                next != null; next = next.getNextSibling()) {
            if (next instanceof Element element) {
                found.add(element);
            }
        }
        return found;
    }

    /** Puts an element last, also one that stood elsewhere. */
    private void append(Element element) {
        header.getSecurityHeaderElement().appendChild(element);
    }

    private void spoil() {
        if (shape.isWrong("changedBody")) {
            Element payload = soap.payload(envelope);
            payload.appendChild(envelope.createTextNode(" "));
        }
        if (shape.isWrong("brokenSignatureValue")) {
            Element value = XMLUtils.findElement(envelope.getDocumentElement(), "SignatureValue", WSConstants.SIG_NS);
            byte[] octets = Base64.getMimeDecoder().decode(value.getTextContent());
            octets[0] ^= 1;
            value.setTextContent(Base64.getEncoder().encodeToString(octets));
        }
    }

    private static WSTimeSource anHourAgo() {
        return new WSCurrentTimeSource() {
            @Override
            public Instant now() {
                return super.now().minus(Duration.ofHours(1));
            }
        };
    }
}
