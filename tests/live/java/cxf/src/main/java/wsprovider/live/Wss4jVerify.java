package wsprovider.live;

import com.google.gson.JsonObject;
import jakarta.xml.soap.SOAPFault;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.w3c.dom.Document;
import org.w3c.dom.Element;

/** Command "wss4j-verify": has a given message verified and decrypted by WSS4J. */
final class Wss4jVerify implements Command {
    @Override
    public JsonObject run(Request request) throws Exception {
        Map<String, byte[]> sessionKeys = new HashMap<>();
        request.values("secrets").forEach(
            (name, key) -> sessionKeys.put(name, Base64.getDecoder().decode(key.toString())));
        List<byte[]> confirmations = new ArrayList<>();
        for (String value : request.texts("signatureValues")) {
            confirmations.add(Base64.getDecoder().decode(value));
        }
        ReplyVerifier verifier =
            new ReplyVerifier(KeyMaterial.ofClient(request), sessionKeys, confirmations, request);
        return verify(verifier, request.bytes("message"));
    }

    /** The answer about one message: what protected it, and its payload or fault. */
    static JsonObject verify(ReplyVerifier verifier, byte[] message) throws Exception {
        Document reply = Xml.parse(message);
        JsonObject answer = new JsonObject();
        answer.addProperty("ok", true);
        answer.add("results", verifier.verify(reply));
        Soap soap = Soap.of(reply);
        SOAPFault fault = soap.fault(reply);
        if (fault != null) {
            answer.addProperty("ok", false);
            answer.add("fault", Failure.fault(fault));
            answer.addProperty("error", "the reply is a fault");
            return answer;
        }
        Element payload = soap.payload(reply);
        answer.addProperty("payload", payload == null ? null : Xml.text(payload));
        answer.addProperty("text", payload == null ? null : Xml.argument(payload));
        return answer;
    }
}
