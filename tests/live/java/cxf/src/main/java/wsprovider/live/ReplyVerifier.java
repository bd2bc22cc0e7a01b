package wsprovider.live;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.apache.wss4j.dom.WSConstants;
import org.apache.wss4j.dom.WSDataRef;
import org.apache.wss4j.dom.engine.WSSConfig;
import org.apache.wss4j.dom.engine.WSSecurityEngine;
import org.apache.wss4j.dom.engine.WSSecurityEngineResult;
import org.apache.wss4j.dom.handler.RequestData;
import org.apache.wss4j.dom.handler.WSHandlerResult;
import org.apache.wss4j.dom.message.token.SignatureConfirmation;
import org.apache.wss4j.dom.message.token.Timestamp;
import org.w3c.dom.Document;

/** Verifies and decrypts a reply in place, and tells what WSS4J found in it. */
final class ReplyVerifier {
    private final RequestData data = new RequestData();
    private final List<byte[]> expectedConfirmations;

    ReplyVerifier(KeyMaterial material, Map<String, byte[]> sessionKeys, List<byte[]> expected, Request options) {
        expectedConfirmations = expected;
        data.setWssConfig(WSSConfig.getNewInstance());
        data.setSigVerCrypto(material.crypto());
        data.setDecCrypto(material.crypto());
        data.setCallbackHandler(new Secrets(new String(material.password()), Map.of(), sessionKeys));
        data.setDisableBSPEnforcement(!options.flag("bsp", true));
        data.setAllowRSA15KeyTransportAlgorithm(options.flag("allowRsa15", false));
    }

    /** An empty list when the reply has no Security header. */
    JsonArray verify(Document reply) throws Exception {
        WSSecurityEngine engine = new WSSecurityEngine();
        engine.setWssConfig(data.getWssConfig());
        JsonArray told = new JsonArray();
        WSHandlerResult results = engine.processSecurityHeader(reply, data);
        if (results != null) {
            results.getResults().forEach(result -> told.add(told(result)));
        }
        return told;
    }

    private JsonObject told(WSSecurityEngineResult result) {
        int action = (Integer) result.get(WSSecurityEngineResult.TAG_ACTION);
        JsonObject told = new JsonObject();
        told.addProperty("action", name(action));
        switch (action) {
            case WSConstants.SIGN -> {
                told.addProperty("algorithm", (String) result.get(WSSecurityEngineResult.TAG_SIGNATURE_METHOD));
                told.addProperty("canonicalization",
                    (String) result.get(WSSecurityEngineResult.TAG_CANONICALIZATION_METHOD));
                addParts(told, result);
            }
            case WSConstants.ENCR -> {
                told.addProperty("keyTransport",
                    (String) result.get(WSSecurityEngineResult.TAG_ENCRYPTED_KEY_TRANSPORT_METHOD));
                addParts(told, result);
            }
            case WSConstants.TS -> {
                Timestamp timestamp = (Timestamp) result.get(WSSecurityEngineResult.TAG_TIMESTAMP);
                told.addProperty("created", String.valueOf(timestamp.getCreated()));
                told.addProperty("expires", String.valueOf(timestamp.getExpires()));
            }
            case WSConstants.SC -> addConfirmation(told, result);
            default -> { }
        }
        return told;
    }

    private void addConfirmation(JsonObject told, WSSecurityEngineResult result) {
        SignatureConfirmation confirmation =
            (SignatureConfirmation) result.get(WSSecurityEngineResult.TAG_SIGNATURE_CONFIRMATION);
        byte[] value = confirmation.getSignatureValue();
        boolean none = value == null || value.length == 0;
        told.addProperty("value", none ? null : Base64.getEncoder().encodeToString(value));
        told.addProperty("matches", none ? expectedConfirmations.isEmpty()
            : expectedConfirmations.stream().anyMatch(expected -> Arrays.equals(expected, value)));
    }

    private static void addParts(JsonObject told, WSSecurityEngineResult result) {
        JsonArray parts = new JsonArray();
        JsonArray xpaths = new JsonArray();
        JsonArray digests = new JsonArray();
        Object found = result.get(WSSecurityEngineResult.TAG_DATA_REF_URIS);
        for (Object item : found == null ? List.of() : (List<?>) found) {
            WSDataRef part = (WSDataRef) item;
            parts.add(String.valueOf(part.getName()));
            xpaths.add(part.getXpath());
            digests.add(part.getDigestAlgorithm());
            if (!told.has("algorithm")) {
                told.addProperty("algorithm", part.getAlgorithm());
            }
        }
        told.add("parts", parts);
        told.add("xpaths", xpaths);
        told.add("digests", digests);
    }

    private static String name(int action) {
        return switch (action) {
            case WSConstants.UT -> "UT";
            case WSConstants.SIGN -> "SIGN";
            case WSConstants.ENCR -> "ENCR";
            case WSConstants.TS -> "TS";
            case WSConstants.SC -> "SC";
            case WSConstants.SCT -> "SCT";
            case WSConstants.DKT -> "DKT";
            case WSConstants.BST -> "BST";
            default -> Integer.toString(action);
        };
    }
}
