package wsprovider.live;

import com.google.gson.JsonArray;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.w3c.dom.Document;

/** Command "metro-call": calls the echo service by a client that reads its policy from the WSDL. */
final class MetroCall implements Command {
    private final Map<String, MetroClient> sessions = new ConcurrentHashMap<>();

    @Override
    public JsonObject run(Request request) throws Exception {
        long start = System.nanoTime();
        String session = request.text("session");
        MetroClient client = session == null ? new MetroClient(request) : named(session, request);
        JsonObject answer;
        synchronized (client) {
            client.recorder().clear();
            answer = calls(client, request);
            if (session == null || request.flag("endSession", false) || request.flag("cancel", false)) {
                end(session, client, answer);
            }
            if (request.flag("record", false)) {
                answer.add("exchanges", client.recorder().toJson());
            }
        }
        answer.addProperty("millis", (System.nanoTime() - start) / 1_000_000);
        return answer;
    }

    private synchronized MetroClient named(String session, Request request) throws Exception {
        MetroClient client = sessions.get(session);
        if (client == null) {
            client = new MetroClient(request);
            sessions.put(session, client);
        }
        return client;
    }

    private void end(String session, MetroClient client, JsonObject answer) {
        if (session != null) {
            sessions.remove(session);
        }
        try {
            client.close();
        } catch (Exception problem) {
            // The Cancel failed; of the calls before it the answer tells all the same.
            answer.add("closing", Failure.of(problem));
        }
    }

    /** Makes the row of calls; it stops at the first failure. */
    private static JsonObject calls(MetroClient client, Request request) {
        JsonObject answer = new JsonObject();
        JsonArray texts = new JsonArray();
        JsonArray micros = new JsonArray();
        Document reply = null;
        try {
            int count = request.number("calls", 1);
            for (int i = 0; i < count; i++) {
                if (i > 0) {
                    Thread.sleep(request.number("pauseMillis", 0));
                }
                Document payload = request.has("payload")
                    ? Xml.parse(request.text("payload")) : Xml.echo(request.text("text", ""));
                long start = System.nanoTime();
                reply = client.call(payload);
                micros.add((System.nanoTime() - start) / 1_000);
                texts.add(Xml.argument(reply.getDocumentElement()));
            }
            answer.addProperty("ok", true);
            answer.add("text", texts.isEmpty() ? JsonNull.INSTANCE : texts.get(texts.size() - 1));
            answer.addProperty("response", reply == null ? null : Xml.text(reply.getDocumentElement()));
        } catch (Exception problem) {
            answer = Failure.of(problem);
        }
        answer.add("texts", texts);
        answer.add("micros", micros);
        return answer;
    }
}
