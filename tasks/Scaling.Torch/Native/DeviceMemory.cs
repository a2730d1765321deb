// When a GPU's memory, or the machine's, is full.
using System.Runtime.InteropServices;

namespace Scaling.Torch;

/// <summary>Tells libtorch's failures for want of device memory from others. TorchSharp raises every one as an <see cref="ExternalException"/>, and the text is all that differs.</summary>
internal static class DeviceMemory
{
    /// <summary>Of libtorch's allocator, of CUDA itself, and of cuBLAS and cuDNN, which take some beside it.</summary>
    private static readonly string[] Complaints =
        ["CUDA out of memory", "CUDA error: out of memory", "CUBLAS_STATUS_ALLOC_FAILED", "CUDNN_STATUS_ALLOC_FAILED"];

    /// <summary>Of libtorch's allocator on a processor, where the kernel refuses what is asked for.</summary>
    private const string ProcessorComplaint = "DefaultCPUAllocator: ";

    /// <summary>Whether memory was wanting. libtorch has then given back what it kept unused, and what the failed operation wanted can be asked for anew in smaller pieces.</summary>
    public static bool IsFull(ExternalException failure) => Complaints.Any(c => failure.Message.Contains(c, StringComparison.Ordinal));

    /// <summary>Does what has no smaller piece.</summary>
    /// <param name="what">As for <see cref="TooSmall"/>.</param>
    /// <param name="work">Takes the memory.</param>
    /// <exception cref="UnusableInputException">SCAL8209: a GPU has not so much; SCAL8104: the machine has not.</exception>
    public static T Demand<T>(string what, Func<T> work)
    {
        try
        {
            return work();
        }
        catch (ExternalException e) when (IsFull(e))
        {
            throw TooSmall(what, e);
        }
        catch (ExternalException e) when (e.Message.Contains(ProcessorComplaint, StringComparison.Ordinal))
        {
            throw new UnusableInputException(
                "SCAL8104", $"The machine's memory does not hold {what}: {e.Message[e.Message.IndexOf(ProcessorComplaint, StringComparison.Ordinal)..].Split('\n')[0]}", "Ask for less at once, or take a larger machine.");
        }
    }

    /// <summary>There is no smaller piece.</summary>
    /// <param name="what">What did not fit, a noun phrase.</param>
    /// <param name="failure">As libtorch told it.</param>
    public static UnusableInputException TooSmall(string what, ExternalException failure) => new(
        "SCAL8209",
        $"The GPU's memory does not hold {what}: {Complaint(failure)}",
        "Run fewer actions side by side (--jobs), end what else uses the GPU (nvidia-smi lists it), shorten context, or take a GPU with more memory.");

    /// <summary>The sentences about memory without the traces around them.</summary>
    private static string Complaint(ExternalException failure)
    {
        int start = Complaints.Select(c => failure.Message.IndexOf(c, StringComparison.Ordinal)).First(at => at >= 0);
        string line = failure.Message[start..].Split('\n')[0];
        int end = line.IndexOf(" See documentation", StringComparison.Ordinal);
        return (end < 0 ? line : line[..end]).Trim();
    }
}
