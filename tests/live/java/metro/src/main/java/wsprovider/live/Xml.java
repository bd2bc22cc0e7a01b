package wsprovider.live;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
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

    static void write(Document document, Path file) throws IOException {
        try (OutputStream out = Files.newOutputStream(file)) {
            copy(new DOMSource(document), new StreamResult(out));
        }
    }

    static Document document(Source source) {
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

    /** All elements of a name below a node, as they are now. */
    static List<Element> elements(Document document, String namespace, String name) {
        NodeList found = document.getElementsByTagNameNS(namespace, name);
        List<Element> elements = new ArrayList<>();
        for (int i = 0; i < found.getLength(); i++) {
            elements.add((Element) found.item(i));
        }
        return elements;
    }

    /** The text of the wrapper's first child, null when there is none. */
    static String argument(Element wrapper) {
        for (Node child = wrapper.getFirstChild(); child != null; child = child.getNextSibling()) {
            if (child instanceof Element element) {
                return element.getTextContent();
            }
        }
        return null;
    }

    private static DocumentBuilder builder() throws ParserConfigurationException {
        DocumentBuilderFactory factory = DocumentBuilderFactory.newDefaultNSInstance();
        factory.setFeature("http://apache.org/xml/features/disallow-doctype-decl", true);
        DocumentBuilder builder = factory.newDocumentBuilder();
        builder.setErrorHandler(null);
        return builder;
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
