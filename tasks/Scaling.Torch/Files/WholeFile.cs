// A file that is there whole or not at all.
namespace Scaling.Torch;

internal static class WholeFile
{
    /// <summary>Writes aside, flushes to the disk and renames, so that a kill at any moment leaves the old file or the new one.</summary>
    public static void Write(string path, Action<Stream> write)
    {
        string aside = $"{path}.{Environment.ProcessId}.{Guid.NewGuid():N}";
        try
        {
            using (var stream = new FileStream(aside, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16))
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }

            File.Move(aside, path, overwrite: true);
        }
        finally
        {
            File.Delete(aside);
        }
    }
}
