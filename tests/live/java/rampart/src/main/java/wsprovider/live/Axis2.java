package wsprovider.live;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.axis2.context.ConfigurationContext;
import org.apache.axis2.context.ConfigurationContextFactory;
import org.apache.axis2.engine.AxisConfiguration;

/**
 * Makes Axis2 configurations over one temporary repository that holds the modules: the archives that lie beside Axis2's own jar, and the token issuer's
 * descriptor from our resources.
 */
final class Axis2 {
    private Path repository;

    ConfigurationContext newContext() throws IOException, URISyntaxException {
        return ConfigurationContextFactory.createConfigurationContextFromFileSystem(repository().toString(), null);
    }

    private synchronized Path repository() throws IOException, URISyntaxException {
        if (repository == null) {
            repository = makeRepository();
        }
        return repository;
    }

    private static Path makeRepository() throws IOException, URISyntaxException {
        Path repository = Files.createTempDirectory("axis2-repository");
        Path modules = Files.createDirectories(repository.resolve("modules"));
        Files.createDirectories(repository.resolve("services"));

        Path libraries = Path.of(AxisConfiguration.class.getProtectionDomain().getCodeSource().getLocation().toURI()).getParent();
        try (var archives = Files.newDirectoryStream(libraries, "*.mar")) {
            for (Path archive : archives) {
                Files.copy(archive, modules.resolve(archive.getFileName()));
            }
        }
        Path descriptor = Files.createDirectories(modules.resolve("rahas/META-INF")).resolve("module.xml");
        try (InputStream text = Axis2.class.getResourceAsStream("rahas-module.xml")) {
            Files.copy(text, descriptor);
        }
        Runtime.getRuntime().addShutdownHook(new Thread(() -> delete(repository.toFile())));
        return repository;
    }

    private static void delete(File file) {
        File[] children = file.listFiles();
        if (children != null) {
            for (File child : children) {
                delete(child);
            }
        }
        file.delete();
    }
}
