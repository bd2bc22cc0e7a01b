package wsprovider.live;

import com.google.gson.JsonArray;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.util.Base64;
import java.util.List;
import javax.xml.xpath.XPathConstants;
import javax.xml.xpath.XPathFactory;
import org.apache.xml.security.c14n.Canonicalizer;
import org.apache.xml.security.utils.XMLUtils;
import org.w3c.dom.Document;
import org.w3c.dom.Node;

/** Command "c14n": canonical forms by Santuario; a document that cannot be had gives null and a reason. */
final class Canonicalize implements Command {
    @Override
    public JsonObject run(Request request) {
        JsonArray results = new JsonArray();
        JsonArray errors = new JsonArray();
        for (Request document : request.objects("documents")) {
            try {
                results.add(Base64.getEncoder().encodeToString(canonical(document)));
                errors.add(JsonNull.INSTANCE);
            } catch (Exception problem) {
                results.add(JsonNull.INSTANCE);
                errors.add(problem.getClass().getName() + ": " + problem.getMessage());
            }
        }
        JsonObject answer = new JsonObject();
        answer.add("results", results);
        answer.add("errors", errors);
        return answer;
    }

    private static byte[] canonical(Request request) throws Exception {
        boolean withoutDoctype = !request.flag("doctype", false);
        Document document = XMLUtils.read(new ByteArrayInputStream(request.bytes("xml")), withoutDoctype);
        Canonicalizer canonicalizer = Canonicalizer.getInstance(algorithm(request));
        ByteArrayOutputStream written = new ByteArrayOutputStream();
        List<String> prefixes = request.texts("prefixes");
        Node target = target(document, request);
        if (prefixes.isEmpty()) {
            canonicalizer.canonicalizeSubtree(target, written);
        } else {
            canonicalizer.canonicalizeSubtree(target, String.join(" ", prefixes), written);
        }
        return written.toByteArray();
    }

    private static String algorithm(Request request) {
        boolean comments = request.flag("comments", false);
        if (request.flag("exclusive", true)) {
            return comments ? Canonicalizer.ALGO_ID_C14N_EXCL_WITH_COMMENTS
                : Canonicalizer.ALGO_ID_C14N_EXCL_OMIT_COMMENTS;
        }
        if ("1.1".equals(request.text("version", "1.0"))) {
            return comments ? Canonicalizer.ALGO_ID_C14N11_WITH_COMMENTS : Canonicalizer.ALGO_ID_C14N11_OMIT_COMMENTS;
        }
        return comments ? Canonicalizer.ALGO_ID_C14N_WITH_COMMENTS : Canonicalizer.ALGO_ID_C14N_OMIT_COMMENTS;
    }

    /** The node an XPath finds, else the element with the given Id in any namespace, else the whole document. */
    private static Node target(Document document, Request request) throws Exception {
        if (!request.has("xpath") && !request.has("id")) {
            return document;
        }
        String path = request.text("xpath");
        if (path == null) {
            path = "//*[@*[local-name()='Id' or local-name()='ID'] = '" + request.text("id") + "']";
        }
        Node found = (Node) XPathFactory.newDefaultInstance().newXPath().evaluate(path, document, XPathConstants.NODE);
        if (found == null) {
            throw new IllegalArgumentException("no node at " + path);
        }
        return found;
    }
}
