package wsprovider.live;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import javax.xml.parsers.DocumentBuilder;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import javax.xml.transform.OutputKeys;
import javax.xml.transform.Result;
import javax.xml.transform.Source;
import javax.xml.transform.Transformer;
import javax.xml.transform.TransformerException;
import javax.xml.transform.TransformerFactory;
import javax.xml.transform.dom.DOMResult;
import javax.xml.transform.dom.DOMSource;
import javax.xml.transform.stream.StreamResult;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.Node;
import org.w3c.dom.NodeList;

/** DOM trees in and out, and the payloads of the echo service. */
final class Xml {
    static final String ECHO = "urn:wsprovider:echo";

    private Xml() { }

    static DocumentBuilder builder() throws ParserConfigurationException {
        DocumentBuilderFactory factory = DocumentBuilderFactory.newDefaultNSInstance();
        factory.setFeature("http://apache.org/xml/features/disallow-doctype-decl", true);
        DocumentBuilder builder = factory.newDocumentBuilder();
        builder.setErrorHandler(null);
        return builder;
    }

    static Document parse(byte[] document) throws Exception {
        return builder().parse(new ByteArrayInputStream(document));
    }

    static Document parse(String document) throws Exception {
        return parse(document.getBytes(StandardCharsets.UTF_8));
    }

    static String text(Node node) {
        StringWriter written = new StringWriter();
        copy(new DOMSource(node), new StreamResult(written));
        return written.toString();
    }

    static byte[] bytes(Document document) {
        ByteArrayOutputStream written = new ByteArrayOutputStream();
        copy(new DOMSource(document), new StreamResult(written));
        return written.toByteArray();
    }

    static Document document(Source source) {
        if (source instanceof DOMSource dom && dom.getNode() instanceof Document document) {
            return document;
        }
        DOMResult result = new DOMResult();
        copy(source, result);
        return (Document) result.getNode();
    }

    static Document echo(String text) throws Exception {
        return wrapped("echo", "text", text);
    }

    static Document echoResponse(String text) throws Exception {
        return wrapped("echoResponse", "echoResult", text);
    }

    static Element firstElement(Node parent) {
        NodeList children = parent.getChildNodes();
        for (int i = 0; i < children.getLength(); i++) {
            if (children.item(i) instanceof Element element) {
                return element;
            }
        }
        return null;
    }

    /** The text of the wrapper's first child, null when there is none. */
    static String argument(Element wrapper) {
        Element child = firstElement(wrapper);
        return child == null ? null : child.getTextContent();
    }

    private static Document wrapped(String wrapper, String child, String text) throws Exception {
        Document document = builder().newDocument();
        Element outer = document.createElementNS(ECHO, "e:" + wrapper);
        outer.setAttributeNS("http://www.w3.org/2000/xmlns/", "xmlns:e", ECHO);
        Element inner = document.createElementNS(ECHO, "e:" + child);
        inner.setTextContent(text);
        outer.appendChild(inner);
        document.appendChild(outer);
        return document;
    }

    private static void copy(Source source, Result result) {
        try {
            Transformer identity = TransformerFactory.newDefaultInstance().newTransformer();
            identity.setOutputProperty(OutputKeys.OMIT_XML_DECLARATION, "yes");
            identity.transform(source, result);
        } catch (TransformerException problem) {
            throw new IllegalStateException(problem);
        }
    }
}
