package wsprovider.live;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.net.http.HttpClient;
import java.net.http.HttpResponse;
import java.util.Base64;
import org.w3c.dom.Document;

/** Command "wss4j-call": sends a message that WSS4J made, and has WSS4J judge the reply. */
final class Wss4jCall implements Command {
    @Override
    public JsonObject run(Request request) throws Exception {
        long start = System.nanoTime();
        KeyMaterial material = KeyMaterial.ofClient(request);
        Shape shape = Shape.of(request);
        HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .sslContext(material.tls(request.flag("tlsClientCertificate", false)))
            .build();
        JsonArray texts = new JsonArray();
        JsonArray micros = new JsonArray();
        JsonObject answer = new JsonObject();
        Ticket ticket = null;
        for (int i = 0; i < request.number("calls", 1); i++) {
            long begin = System.nanoTime();
            if (request.number("scenario", 0) == 16) {
                ticket = ticket != null && request.flag("later", false) ? ticket.byName() : Ticket.of(request);
            }
            answer = once(request, material, shape, http, ticket);
            micros.add((System.nanoTime() - begin) / 1_000);
            if (!answer.get("ok").getAsBoolean()) {
                break;
            }
            texts.add(answer.get("text"));
        }
        answer.add("texts", texts);
        answer.add("micros", micros);
        answer.addProperty("millis", (System.nanoTime() - start) / 1_000_000);
        return answer;
    }

    private static JsonObject once(
            Request request, KeyMaterial material, Shape shape, HttpClient http, Ticket ticket) throws Exception {
        Soap soap = Soap.named(request.text("soap", "1.1"));
        Document payload = request.has("payload")
            ? Xml.parse(request.text("payload")) : Xml.echo(request.text("text", ""));
        SecuredRequest secured = new SecuredRequest(shape, material, soap.envelope(payload), ticket);
        byte[] message = Xml.bytes(
            secured.build(request.text("username"), request.text("password"), request.text("passwordType")));
        if (request.flag("dryRun", false)) {
            return dryRun(message, secured);
        }
        String action = request.text("action", Xml.ECHO + "/echo");
        HttpResponse<byte[]> response = soap.post(http, request.required("url"), action, message);
        ReplyVerifier verifier =
            new ReplyVerifier(material, secured.sessionKeys(), secured.signatureValues(), request);
        JsonObject answer;
        try {
            answer = Wss4jVerify.verify(verifier, response.body());
        } catch (Exception refused) {
            answer = Failure.of(refused);
        }
        answer.addProperty("status", response.statusCode());
        answer.addProperty("contentType", response.headers().firstValue("Content-Type").orElse(null));
        answer.addProperty("request", Base64.getEncoder().encodeToString(message));
        answer.addProperty("response", Base64.getEncoder().encodeToString(response.body()));
        return answer;
    }

    /** The message alone, with the keys and signature values that "wss4j-verify" needs for a reply to it. */
    private static JsonObject dryRun(byte[] message, SecuredRequest secured) {
        JsonObject secrets = new JsonObject();
        secured.sessionKeys().forEach(
            (name, key) -> secrets.addProperty(name, Base64.getEncoder().encodeToString(key)));
        JsonArray values = new JsonArray();
        secured.signatureValues().forEach(value -> values.add(Base64.getEncoder().encodeToString(value)));
        JsonObject answer = new JsonObject();
        answer.addProperty("ok", true);
        answer.addProperty("text", (String) null);
        answer.addProperty("request", Base64.getEncoder().encodeToString(message));
        answer.add("secrets", secrets);
        answer.add("signatureValues", values);
        return answer;
    }
}
